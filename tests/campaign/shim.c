/* Durable system calls under one folder, counted, refused, recorded, or the last thing a process does.

Loaded before libc (LD_PRELOAD), so that Python's calls and SQLite's go through it. What it is to do stands in memory
that a fork shares: the parent sets it, and reads there whether it took place even when the child is dead. Recorded
calls go to a descriptor as they succeed: six numbers, then names and bytes. `shim.py` speaks to it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COUNT = 1, KILL_BEFORE, KILL_AFTER, KILL_HALF, FAIL, FAIL_ON, RECORD };
enum { WRITE = 1, SYNC, RENAME, LINK, UNLINK, RMDIR, MKDIR, CREATE, TRUNC, MARK, SYNC_DISK };

struct order {
  int32_t mode, error, log, fired;
  int64_t at, passed;
  char call[32];
  char root[256];
};

static struct order *order;

static struct order *ordered(void) {
  if (!order)
    order = mmap(0, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return order;
}

struct order *shim_order(void) { return ordered(); }

__attribute__((constructor)) static void begin(void) { ordered(); }

static int ours(const char *path) {
  size_t length = strlen(order->root);
  return length && !strncmp(path, order->root, length) && (path[length] == '/' || !path[length]);
}

static int of_fd(int fd, char *path, size_t room) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, room - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return ours(path) && !strstr(path, " (deleted)");
}

static int of_name(int folder, const char *name, char *path, size_t room) {
  if (name[0] == '/') {
    snprintf(path, room, "%s", name);
  } else if (folder == AT_FDCWD) {
    if (!getcwd(path, room - 300)) return 0;
    size_t length = strlen(path);
    snprintf(path + length, room - length, "/%s", name);
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, path, room - 300);
    if (length < 0) return 0;
    snprintf(path + length, room - length, "/%s", name);
  }
  return ours(path);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Whether the call is to fail; a process that is to die before it does not come back. */
static int before(const char *call) {
  int64_t now = __atomic_add_fetch(&order->passed, 1, __ATOMIC_SEQ_CST);
  if (now < order->at || (now > order->at && order->mode != FAIL_ON)) return 0;
  if (order->mode < KILL_BEFORE || order->mode > FAIL_ON) return 0;
  if (!order->fired) snprintf(order->call, sizeof order->call, "%s", call);
  if (order->mode == KILL_AFTER || order->mode == KILL_HALF) return 0;
  order->fired++;
  if (order->mode == KILL_BEFORE) die();
  errno = order->error;
  return 1;
}

static void after(void) {
  if ((order->mode == KILL_AFTER || order->mode == KILL_HALF) && order->passed == order->at) {
    order->fired++;
    die();
  }
}

static void noted(uint32_t what, const char *first, const char *second, uint64_t place, const void *data, uint64_t many) {
  if (order->mode != RECORD) return;
  int kept = errno;
  uint64_t head[6] = {what, strlen(first), strlen(second), place, many, 0};
  syscall(SYS_write, order->log, head, sizeof head);
  syscall(SYS_write, order->log, first, head[1]);
  syscall(SYS_write, order->log, second, head[2]);
  if (many) syscall(SYS_write, order->log, data, many);
  errno = kept;
}

void shim_mark(const char *text) {
  if (ordered()->mode) noted(MARK, text, "", 0, 0, 0);
}

#define REAL(name, type) \
  static __typeof__(type) real; \
  if (!real) real = (__typeof__(type))dlsym(RTLD_NEXT, #name)
#define WATCHED (ordered()->mode)
#define ROOM 4600

static void half(int fd, const void *data, size_t many, off64_t place) {
  if (order->mode == KILL_HALF && order->passed == order->at) {
    syscall(SYS_pwrite64, fd, data, many / 2, place);
    order->fired++;
    die();
  }
}

ssize_t write(int fd, const void *data, size_t many) {
  REAL(write, ssize_t (*)(int, const void *, size_t));
  char path[ROOM];
  if (!WATCHED || !of_fd(fd, path, sizeof path)) return real(fd, data, many);
  if (before("write")) return -1;
  off64_t place = lseek64(fd, 0, SEEK_CUR);
  half(fd, data, many, place);
  ssize_t done = real(fd, data, many);
  if (done > 0) noted(WRITE, path, "", place, data, done);
  after();
  return done;
}

#define PWRITE(name) \
  ssize_t name(int fd, const void *data, size_t many, off64_t place) { \
    REAL(name, ssize_t (*)(int, const void *, size_t, off64_t)); \
    char path[ROOM]; \
    if (!WATCHED || !of_fd(fd, path, sizeof path)) return real(fd, data, many, place); \
    if (before("pwrite")) return -1; \
    half(fd, data, many, place); \
    ssize_t done = real(fd, data, many, place); \
    if (done > 0) noted(WRITE, path, "", place, data, done); \
    after(); \
    return done; \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

#define SYNCS(name, what) \
  int name(int fd) { \
    REAL(name, int (*)(int)); \
    char path[ROOM]; \
    if (!WATCHED || !of_fd(fd, path, sizeof path)) return real(fd); \
    if (before(#name)) return -1; \
    int done = real(fd); \
    if (!done) noted(what, path, "", 0, 0, 0); \
    after(); \
    return done; \
  }
SYNCS(fsync, SYNC)
SYNCS(fdatasync, SYNC)
SYNCS(syncfs, SYNC_DISK)

#define TRUNCATES(name) \
  int name(int fd, off64_t size) { \
    REAL(name, int (*)(int, off64_t)); \
    char path[ROOM]; \
    if (!WATCHED || !of_fd(fd, path, sizeof path)) return real(fd, size); \
    if (before("ftruncate")) return -1; \
    int done = real(fd, size); \
    if (!done) noted(TRUNC, path, "", size, 0, 0); \
    after(); \
    return done; \
  }
TRUNCATES(ftruncate)
TRUNCATES(ftruncate64)

static int moved(int what, int from_folder, const char *from, int to_folder, const char *to, const char *call, int (*go)(void *), void *with) {
  char first[ROOM], second[ROOM];
  if (!WATCHED || !of_name(from_folder, from, first, sizeof first) || !of_name(to_folder, to, second, sizeof second))
    return go(with);
  if (before(call)) return -1;
  int done = go(with);
  if (!done) noted(what, first, second, 0, 0, 0);
  after();
  return done;
}

struct pair { int a; const char *from; int b; const char *to; int flags; };
#define PAIRED(name, what, parameters, values, arguments, type) \
  static int go_##name(void *with) { \
    struct pair *p = with; \
    REAL(name, type); \
    return real arguments; \
  } \
  int name parameters { \
    struct pair with = values; \
    return moved(what, with.a, with.from, with.b, with.to, #name, go_##name, &with); \
  }
#define LIST(...) {__VA_ARGS__}
PAIRED(rename, RENAME, (const char *from, const char *to), LIST(AT_FDCWD, from, AT_FDCWD, to, 0), (p->from, p->to), int (*)(const char *, const char *))
PAIRED(renameat, RENAME, (int a, const char *from, int b, const char *to), LIST(a, from, b, to, 0), (p->a, p->from, p->b, p->to), int (*)(int, const char *, int, const char *))
PAIRED(renameat2, RENAME, (int a, const char *from, int b, const char *to, unsigned flags), LIST(a, from, b, to, flags), (p->a, p->from, p->b, p->to, p->flags), int (*)(int, const char *, int, const char *, unsigned))
PAIRED(link, LINK, (const char *from, const char *to), LIST(AT_FDCWD, from, AT_FDCWD, to, 0), (p->from, p->to), int (*)(const char *, const char *))
PAIRED(linkat, LINK, (int a, const char *from, int b, const char *to, int flags), LIST(a, from, b, to, flags), (p->a, p->from, p->b, p->to, p->flags), int (*)(int, const char *, int, const char *, int))

static int named(int what, int folder, const char *name, const char *call, int (*go)(void *), void *with) {
  char path[ROOM];
  if (!WATCHED || !of_name(folder, name, path, sizeof path)) return go(with);
  if (before(call)) return -1;
  int done = go(with);
  if (!done) noted(what, path, "", 0, 0, 0);
  after();
  return done;
}

struct single { int folder; const char *entry; int flags; };
#define SINGLE(name, what, parameters, values, arguments, type) \
  static int go_##name(void *with) { \
    struct single *p = with; \
    REAL(name, type); \
    return real arguments; \
  } \
  int name parameters { \
    struct single with = values; \
    return named(what, with.folder, with.entry, #name, go_##name, &with); \
  }
SINGLE(unlink, UNLINK, (const char *n), LIST(AT_FDCWD, n, 0), (p->entry), int (*)(const char *))
SINGLE(unlinkat, with.flags & AT_REMOVEDIR ? RMDIR : UNLINK, (int f, const char *n, int flags), LIST(f, n, flags), (p->folder, p->entry, p->flags), int (*)(int, const char *, int))
SINGLE(rmdir, RMDIR, (const char *n), LIST(AT_FDCWD, n, 0), (p->entry), int (*)(const char *))
SINGLE(mkdir, MKDIR, (const char *n, mode_t mode), LIST(AT_FDCWD, n, mode), (p->entry, p->flags), int (*)(const char *, mode_t))
SINGLE(mkdirat, MKDIR, (int f, const char *n, mode_t mode), LIST(f, n, mode), (p->folder, p->entry, p->flags), int (*)(int, const char *, mode_t))

static int opened(int folder, const char *name, int flags, int mode, int (*go)(int, const char *, int, int)) {
  char path[ROOM];
  if (!WATCHED || !(flags & (O_CREAT | O_TRUNC)) || !of_name(folder, name, path, sizeof path))
    return go(folder, name, flags, mode);
  struct stat found;
  int there = !lstat(path, &found);
  if (there && !(flags & O_TRUNC)) return go(folder, name, flags, mode);
  if (before("open")) return -1;
  int done = go(folder, name, flags, mode);
  if (done >= 0) noted(there ? TRUNC : CREATE, path, "", 0, 0, 0);
  after();
  return done;
}

#define OPENS(name) \
  static int go_##name(int folder, const char *path, int flags, int mode) { \
    (void)folder; \
    REAL(name, int (*)(const char *, int, int)); \
    return real(path, flags, mode); \
  } \
  int name(const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    int mode = va_arg(rest, int); \
    va_end(rest); \
    return opened(AT_FDCWD, path, flags, mode, go_##name); \
  }
#define OPENS_AT(name) \
  static int go_##name(int folder, const char *path, int flags, int mode) { \
    REAL(name, int (*)(int, const char *, int, int)); \
    return real(folder, path, flags, mode); \
  } \
  int name(int folder, const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    int mode = va_arg(rest, int); \
    va_end(rest); \
    return opened(folder, path, flags, mode, go_##name); \
  }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)
