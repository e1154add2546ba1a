//! Dense linear algebra for matrices that need no pivoting.

/// Inverts a square matrix in place, row after row in one slice: Gauss-Jordan without row exchanges.
///
/// For matrices whose leading minors are positive, as those of an absorbing chain's I - Q and of blocks of its inverse are: there
/// every pivot is positive, and elimination is stable because I - Q is diagonally dominant.
pub fn invert(matrix: &mut [f64], size: usize) {
    let mut pivot_row = vec![0.0; size];
    for pivot in 0..size {
        let row = &mut matrix[pivot * size..][..size];
        let inverse = 1.0 / row[pivot];
        row[pivot] = 1.0;
        for value in row.iter_mut() {
            *value *= inverse;
        }
        pivot_row.copy_from_slice(row);
        for (index, row) in matrix.chunks_exact_mut(size).enumerate() {
            let factor = row[pivot];
            // Chains of higher order are sparse, and most rows of an early pivot are untouched.
            if index == pivot || factor == 0.0 {
                continue;
            }
            row[pivot] = 0.0;
            for (value, above) in row.iter_mut().zip(&pivot_row) {
                *value -= factor * above;
            }
        }
    }
}

/// The row vector x with x · matrix = vector, in place of the vector; the matrix is spent. Elimination without exchanges, for
/// the same matrices as [`invert`].
pub fn solve_left(matrix: &mut [f64], vector: &mut [f64]) {
    let size = vector.len();
    // Columns of the matrix are eliminated as rows of its transpose would be.
    for pivot in 0..size {
        for column in pivot + 1..size {
            let factor = matrix[pivot * size + column] / matrix[pivot * size + pivot];
            if factor == 0.0 {
                continue;
            }
            for row in pivot..size {
                matrix[row * size + column] -= factor * matrix[row * size + pivot];
            }
            vector[column] -= factor * vector[pivot];
        }
    }
    for pivot in (0..size).rev() {
        let known: f64 = (pivot + 1..size).map(|row| vector[row] * matrix[row * size + pivot]).sum();
        vector[pivot] = (vector[pivot] - known) / matrix[pivot * size + pivot];
    }
}

/// Sum of products.
pub fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
