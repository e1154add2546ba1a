/* A disk that loses what was never synced, as an LD_PRELOAD library.
 *
 * Below $POWERLOSS_ROOT every file and folder gets a number of its own, which no inode number used again can confuse.
 * $POWERLOSS_SHADOW holds what a power cut would leave: `f<number>` the content of a file as of its last fsync or fdatasync,
 * `d<number>` the entries of a folder ("f|d NUMBER NAME" a line) as of the last fsync of that folder. `d1` is the root.
 * What lies below the root when a process starts counts as synced; `ready` says that it was taken in. After kill -9 the harness rebuilds the folder from there.
 *
 * A real disk may also write unsynced things early. $POWERLOSS_EARLY is the chance in percent that a write reaches the shadow
 * at once, whole or only its first sectors (a torn write), and that a changed folder does; 0 drops all that was not synced.
 * $POWERLOSS_SEED makes these chances repeat.
 *
 * Nothing reaches the real disk any sooner through this: fsync itself is left out, since kill -9 keeps the page cache.
 * Memory-mapped writes are not seen; SQLite maps only its -shm file, which it makes anew after a crash.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOTS 65536 /* of inodes; a round makes a few thousand */
#define SECTOR 512

struct range { off_t from, to; };
struct node { /* one file or folder */
    ino_t inode;
    long number;
    struct range *dirty; /* written since the last sync */
    int count, room;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct node nodes[SLOTS]; /* open addressing by inode; never emptied */
static long last_number;
static char root[PATH_MAX], shadow[PATH_MAX];
static size_t root_length;
static unsigned early, dice;
static dev_t device;
static int is_on;

static void stop(const char *what) {
    fprintf(stderr, "powerloss: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static unsigned roll(unsigned sides) {
    dice = dice * 1664525u + 1013904223u;
    return (dice >> 8) % sides;
}

static struct node *find(ino_t inode, int make) {
    size_t at = (inode * 0x9E3779B97F4A7C15ull) >> 48;
    for (size_t step = 0; step < SLOTS; step++, at = (at + 1) % SLOTS) {
        struct node *node = &nodes[at];
        if (node->number && node->inode == inode) return node;
        if (!node->number) {
            if (!make) return NULL;
            node->inode = inode;
            node->number = ++last_number;
            return node;
        }
    }
    errno = ENOSPC;
    stop("too many files");
    return NULL;
}

/* A file or folder just made: whatever had its inode before is another one. */
static struct node *make_new(ino_t inode) {
    struct node *node = find(inode, 1);
    node->number = ++last_number;
    node->count = 0;
    return node;
}

static int is_below_root(const char *path) {
    return !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static int raw_open(const char *path, int flags) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static int open_shadow(const struct node *node) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/f%ld", shadow, node->number);
    int file = raw_open(path, O_CREAT | O_WRONLY);
    if (file < 0) stop("opening the shadow of a file");
    return file;
}

static void copy_range(int from, int to, off_t at, off_t end) {
    static char buffer[1 << 16];
    while (at < end) {
        size_t want = end - at < (off_t)sizeof buffer ? (size_t)(end - at) : sizeof buffer;
        ssize_t got = syscall(SYS_pread64, from, buffer, want, at);
        if (got < 0) stop("reading a file back");
        if (got == 0) return;
        if (syscall(SYS_pwrite64, to, buffer, got, at) != got) stop("writing the shadow of a file");
        at += got;
    }
}

/* Opens a second, readable view of a descriptor that may be write-only. */
static int reopen(int fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int file = raw_open(path, O_RDONLY);
    if (file < 0) stop("opening a file again");
    return file;
}

static void mark(struct node *node, off_t from, off_t to) {
    struct range *last = node->count ? &node->dirty[node->count - 1] : NULL;
    if (last && last->to == from) {
        last->to = to;
        return;
    }
    if (node->count == node->room) {
        node->room = node->room ? node->room * 2 : 16;
        node->dirty = realloc(node->dirty, node->room * sizeof *node->dirty);
        if (!node->dirty) stop("remembering a write");
    }
    node->dirty[node->count++] = (struct range){from, to};
}

static void sync_file(int fd, struct node *node) {
    struct stat now;
    if (fstat(fd, &now)) stop("examining a file");
    int from = reopen(fd), to = open_shadow(node);
    for (int at = 0; at < node->count; at++) copy_range(from, to, node->dirty[at].from, node->dirty[at].to);
    node->count = 0;
    if (syscall(SYS_ftruncate, to, now.st_size)) stop("cutting the shadow of a file");
    syscall(SYS_close, from);
    syscall(SYS_close, to);
}

static void sync_folder(const char *path, struct node *node) {
    char fresh[PATH_MAX + 64], final[PATH_MAX + 32], inner[PATH_MAX + 256];
    snprintf(final, sizeof final, "%s/d%ld", shadow, node->number);
    snprintf(fresh, sizeof fresh, "%s.new", final);
    DIR *folder = opendir(path);
    if (!folder) return; /* removed meanwhile */
    int out = raw_open(fresh, O_CREAT | O_WRONLY | O_TRUNC);
    if (out < 0) stop("opening the shadow of a folder");
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat found;
        char line[512];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (lstat(inner, &found) || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))) continue;
        int length = snprintf(line, sizeof line, "%c %ld %s\n", S_ISDIR(found.st_mode) ? 'd' : 'f',
                              find(found.st_ino, 1)->number, entry->d_name);
        if (syscall(SYS_write, out, line, length) != length) stop("writing the shadow of a folder");
    }
    closedir(folder);
    syscall(SYS_close, out);
    if (syscall(SYS_rename, fresh, final)) stop("replacing the shadow of a folder");
}

/* Everything that is there at the start is on the disk. */
static void take_in(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat found;
        char inner[PATH_MAX];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= (int)sizeof inner) continue;
        if (lstat(inner, &found)) continue;
        if (S_ISDIR(found.st_mode)) take_in(inner);
        if (!S_ISREG(found.st_mode)) continue;
        struct node *node = find(found.st_ino, 1);
        int from = raw_open(inner, O_RDONLY), to = open_shadow(node);
        if (from < 0) stop("reading what is there");
        copy_range(from, to, 0, found.st_size);
        syscall(SYS_close, from);
        syscall(SYS_close, to);
    }
    closedir(folder);
    struct stat itself;
    if (!stat(path, &itself)) sync_folder(path, find(itself.st_ino, 1));
}

__attribute__((constructor)) static void start(void) {
    const char *below = getenv("POWERLOSS_ROOT"), *into = getenv("POWERLOSS_SHADOW"), *chance = getenv("POWERLOSS_EARLY"),
               *seed = getenv("POWERLOSS_SEED");
    struct stat found;
    if (!below || !into || !realpath(below, root) || stat(root, &found)) return;
    snprintf(shadow, sizeof shadow, "%s", into);
    root_length = strlen(root);
    early = chance ? (unsigned)atoi(chance) : 0;
    dice = seed ? (unsigned)atoi(seed) : 1;
    device = found.st_dev;
    find(found.st_ino, 1); /* number 1 */
    take_in(root);
    char ready[PATH_MAX + 32];
    snprintf(ready, sizeof ready, "%s/ready", shadow);
    syscall(SYS_close, raw_open(ready, O_CREAT | O_WRONLY));
    is_on = 1;
}

/* The node of a descriptor, if it is a regular file or a folder below the root; its kind in `kind`. */
static struct node *of_descriptor(int fd, mode_t *kind) {
    struct stat found;
    if (!is_on || fstat(fd, &found) || found.st_dev != device || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))) return NULL;
    *kind = found.st_mode & S_IFMT;
    return find(found.st_ino, 0);
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

/* Part of the folder a path lies in may reach the disk early. */
static void folder_changed(int at, const char *path) {
    char parent[PATH_MAX], whole[PATH_MAX];
    struct stat found;
    if (!is_on || !early || roll(100) >= early) return;
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == parent) return;
    if (slash) *slash = 0; else snprintf(parent, sizeof parent, ".");
    int fd = (int)syscall(SYS_openat, at, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return;
    if (path_of(fd, whole) && is_below_root(whole) && !fstat(fd, &found)) sync_folder(whole, find(found.st_ino, 1));
    syscall(SYS_close, fd);
}

/* What lay beyond the new end must not come back when the file grows again. */
static void was_cut(int fd, off_t length) {
    mode_t kind;
    int failure = errno;
    pthread_mutex_lock(&guard);
    struct node *node = of_descriptor(fd, &kind);
    if (node && kind == S_IFREG) {
        mark(node, length, LLONG_MAX);
        if (early && roll(100) < early) {
            int to = open_shadow(node);
            if (syscall(SYS_ftruncate, to, length)) stop("cutting the shadow of a file");
            syscall(SYS_close, to);
        }
    }
    pthread_mutex_unlock(&guard);
    errno = failure;
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    struct stat before;
    int was_there = !is_on || !(flags & O_CREAT) || !fstatat(at, path, &before, 0);
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd < 0 || !is_on) return fd;
    int failure = errno;
    struct stat found;
    char whole[PATH_MAX];
    if (!fstat(fd, &found) && S_ISREG(found.st_mode) && found.st_dev == device && path_of(fd, whole) && is_below_root(whole)) {
        pthread_mutex_lock(&guard);
        if (was_there) find(found.st_ino, 1); else make_new(found.st_ino);
        if (!was_there) folder_changed(at, path);
        pthread_mutex_unlock(&guard);
        if (was_there && (flags & O_TRUNC)) was_cut(fd, 0);
    }
    errno = failure;
    return fd;
}

static void written(int fd, off_t from, ssize_t length) {
    mode_t kind;
    if (length <= 0) return;
    int failure = errno;
    pthread_mutex_lock(&guard);
    struct node *node = of_descriptor(fd, &kind);
    if (node && kind == S_IFREG) {
        mark(node, from, from + length);
        if (early && roll(100) < early) {
            off_t sectors = (length + SECTOR - 1) / SECTOR, kept = roll(2) ? sectors : roll((unsigned)sectors + 1);
            off_t end = from + (kept * SECTOR < length ? kept * SECTOR : length);
            int source = reopen(fd), to = open_shadow(node);
            copy_range(source, to, from, end);
            syscall(SYS_close, source);
            syscall(SYS_close, to);
        }
    }
    pthread_mutex_unlock(&guard);
    errno = failure;
}

/* Where a plain write has just ended is where it began plus its length, appending or not. */
static void written_here(int fd, ssize_t length) {
    if (is_on && length > 0) written(fd, lseek(fd, 0, SEEK_CUR) - length, length);
}

static int synced(int fd, int really) {
    mode_t kind;
    char whole[PATH_MAX];
    pthread_mutex_lock(&guard);
    struct node *node = of_descriptor(fd, &kind);
    if (!node) { /* not ours */
        pthread_mutex_unlock(&guard);
        return (int)syscall(really, fd);
    }
    if (kind == S_IFREG) sync_file(fd, node);
    else if (path_of(fd, whole)) sync_folder(whole, node);
    pthread_mutex_unlock(&guard);
    return 0;
}

static int changed(int result, int at, const char *path) {
    int failure = errno;
    if (!result && is_on) {
        pthread_mutex_lock(&guard);
        folder_changed(at, path);
        pthread_mutex_unlock(&guard);
    }
    errno = failure;
    return result;
}

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

ssize_t write(int fd, const void *from, size_t length) {
    ssize_t done = syscall(SYS_write, fd, from, length);
    written_here(fd, done);
    return done;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t done = syscall(SYS_writev, fd, parts, count);
    written_here(fd, done);
    return done;
}
ssize_t pwrite64(int fd, const void *from, size_t length, off_t at) {
    ssize_t done = syscall(SYS_pwrite64, fd, from, length, at);
    if (is_on) written(fd, at, done);
    return done;
}
ssize_t pwrite(int fd, const void *from, size_t length, off_t at) { return pwrite64(fd, from, length, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    ssize_t done = syscall(SYS_pwritev, fd, parts, count, at, 0);
    if (is_on) written(fd, at, done);
    return done;
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) { return pwritev(fd, parts, count, at); }

/* A copy inside the kernel would pass by unseen: callers fall back to reading and writing. */
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t length, unsigned flags) {
    (void)from, (void)from_at, (void)to, (void)to_at, (void)length, (void)flags;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int to, int from, off_t *at, size_t length) {
    (void)to, (void)from, (void)at, (void)length;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t length) { return sendfile64(to, from, at, length); }

int ftruncate64(int fd, off_t length) {
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (!result && is_on) was_cut(fd, length);
    return result;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) { return changed((int)syscall(SYS_rename, from, to), AT_FDCWD, to); }
int renameat(int at, const char *from, int into, const char *to) {
    return changed((int)syscall(SYS_renameat2, at, from, into, to, 0), into, to);
}
int renameat2(int at, const char *from, int into, const char *to, unsigned flags) {
    return changed((int)syscall(SYS_renameat2, at, from, into, to, flags), into, to);
}
int link(const char *from, const char *to) { return changed((int)syscall(SYS_link, from, to), AT_FDCWD, to); }
int linkat(int at, const char *from, int into, const char *to, int flags) {
    return changed((int)syscall(SYS_linkat, at, from, into, to, flags), into, to);
}
int unlink(const char *path) { return changed((int)syscall(SYS_unlink, path), AT_FDCWD, path); }
int unlinkat(int at, const char *path, int flags) { return changed((int)syscall(SYS_unlinkat, at, path, flags), at, path); }

static int made(int result, int at, const char *path) {
    struct stat found;
    char whole[PATH_MAX];
    if (result || !is_on) return result;
    int fd = (int)syscall(SYS_openat, at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return result;
    pthread_mutex_lock(&guard);
    if (!fstat(fd, &found) && path_of(fd, whole) && is_below_root(whole)) {
        make_new(found.st_ino);
        folder_changed(at, path);
    }
    pthread_mutex_unlock(&guard);
    syscall(SYS_close, fd);
    return result;
}

int mkdir(const char *path, mode_t mode) { return made((int)syscall(SYS_mkdir, path, mode), AT_FDCWD, path); }
int mkdirat(int at, const char *path, mode_t mode) { return made((int)syscall(SYS_mkdirat, at, path, mode), at, path); }
