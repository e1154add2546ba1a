//! Databases of earlier versions.

use super::*;

#[test]
fn a_database_of_version_1_is_migrated_and_its_segments_stay_listed() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join(DATABASE)).unwrap();
    old.execute_batch(tables::TABLES).unwrap();
    old.execute_batch(
        "insert into meta values ('version', '1');
         insert into segment values (3, 1, 24316, 7, 100, 'ab', 50, 'cd', 1, 2, 3, 4, 5, 0);",
    )
    .unwrap();
    drop(old);
    let first = open(folder.path()).unwrap();
    let mut record = segments(&first).unwrap().remove(0);
    assert_eq!((record.id, record.data.bytes, record.data.blocks.len(), record.keys.blocks.len()), (3, 100, 0, 0));
    record.id = 4;
    (record.data.blocks, record.keys.blocks) = (vec![1, 0xFFFF_FFFF, 7], vec![9]);
    list_segment(&first, &record).unwrap();
    drop(first);
    let again = open(folder.path()).unwrap();
    assert_eq!(segments(&again).unwrap()[1], record);
    again.execute("update meta set value = '99' where name = 'version'", []).unwrap();
    drop(again);
    let error = open(folder.path()).unwrap_err();
    assert!(error.message().contains("has version 99; this program reads versions 1 to 3"), "{error}");
}
