/* Loaded before the C library (LD_PRELOAD): makes the n-th call that touches files below a directory fail, and sets the clock wrong.
 *
 * FERRY_FAULT_UNDER  the directory
 * FERRY_FAULT_KIND   "write" or "read"
 * FERRY_FAULT_AT     which call, from 0; from it on, every one fails
 * FERRY_FAULT_ERRNO  with which error
 * FERRY_FAULT_MARK   a file that is made when the first call fails
 * FERRY_FAULT_RUN    a command for the shell, which is run before that call; no call fails then
 * FERRY_CLOCK_OFFSET seconds that the clock is wrong by
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static int is_below(const char *path) {
    const char *under = getenv("FERRY_FAULT_UNDER");
    return under && path && strncmp(path, under, strlen(under)) == 0;
}

static int is_below_fd(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

static void run(const char *command) {
    char *variables[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    pid_t child = fork();
    if (child == 0) {
        execle("/bin/sh", "sh", "-c", command, (char *)NULL, variables);
        _exit(127);
    }
    if (child > 0) waitpid(child, NULL, 0);
}

static int fails(const char *kind, int concerns) {
    const char *wanted = getenv("FERRY_FAULT_KIND"), *at = getenv("FERRY_FAULT_AT"), *mark = getenv("FERRY_FAULT_MARK");
    if (!concerns || !wanted || !at || strcmp(wanted, kind) != 0) return 0;
    const char *command = getenv("FERRY_FAULT_RUN");
    long call = atomic_fetch_add(&calls, 1);
    if (call < atol(at) || (command && call > atol(at))) return 0;
    if (mark) {
        int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
        int fd = real_open(mark, O_CREAT | O_WRONLY, 0644);
        if (fd >= 0) close(fd);
    }
    if (command) {
        run(command);
        return 0;
    }
    errno = atoi(getenv("FERRY_FAULT_ERRNO") ? getenv("FERRY_FAULT_ERRNO") : "5");
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    return fails("write", is_below_fd(fd)) ? -1 : NEXT(write)(fd, bytes, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return fails("write", is_below_fd(fd)) ? -1 : NEXT(pwrite)(fd, bytes, count, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return fails("write", is_below_fd(fd)) ? -1 : NEXT(pwrite64)(fd, bytes, count, at);
}
ssize_t read(int fd, void *bytes, size_t count) { return fails("read", is_below_fd(fd)) ? -1 : NEXT(read)(fd, bytes, count); }
ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
    return fails("read", is_below_fd(fd)) ? -1 : NEXT(pread)(fd, bytes, count, at);
}
ssize_t pread64(int fd, void *bytes, size_t count, off64_t at) {
    return fails("read", is_below_fd(fd)) ? -1 : NEXT(pread64)(fd, bytes, count, at);
}
int fsync(int fd) { return fails("write", is_below_fd(fd)) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails("write", is_below_fd(fd)) ? -1 : NEXT(fdatasync)(fd); }
int syncfs(int fd) { return fails("write", is_below_fd(fd)) ? -1 : NEXT(syncfs)(fd); }
int mkdir(const char *path, mode_t mode) { return fails("write", is_below(path)) ? -1 : NEXT(mkdir)(path, mode); }
int link(const char *from, const char *to) { return fails("write", is_below(to)) ? -1 : NEXT(link)(from, to); }
int rename(const char *from, const char *to) { return fails("write", is_below(to)) ? -1 : NEXT(rename)(from, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned int flags) {
    return fails("write", is_below(to)) ? -1 : NEXT(renameat2)(a, from, b, to, flags);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return fails("write", flags & O_CREAT && is_below(path)) ? -1 : NEXT(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return fails("write", flags & O_CREAT && is_below(path)) ? -1 : NEXT(open64)(path, flags, mode);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = NEXT(clock_gettime)(clock, now);
    const char *offset = getenv("FERRY_CLOCK_OFFSET");
    if (result == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += atol(offset);
    return result;
}
