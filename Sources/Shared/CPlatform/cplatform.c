#include "cplatform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int cplatform_rename_noreplace(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : -errno;
}

int cplatform_syncfs(int fd) {
    return syncfs(fd) == 0 ? 0 : -errno;
}

int cplatform_start_writeback(int fd, int64_t offset, int64_t length) {
    return sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE) == 0 ? 0 : -errno;
}

int cplatform_coarse_clock(int64_t *seconds, int64_t *nanoseconds) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME_COARSE, &now) != 0) return -errno;
    *seconds = now.tv_sec;
    *nanoseconds = now.tv_nsec;
    return 0;
}

int cplatform_file_system_label(int fd, char label[256]) {
    return ioctl(fd, FS_IOC_GETFSLABEL, label) == 0 ? 0 : -errno;
}

int cplatform_mount_number(const char *path, int64_t *number) {
    struct statx status;
    if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, 0x1000 /* STATX_MNT_ID */, &status) != 0) return -errno;
    if (!(status.stx_mask & 0x1000)) return -ENOSYS;
    *number = (int64_t)status.stx_mnt_id;
    return 0;
}

int cplatform_limit_heaps(int count) { return mallopt(M_ARENA_MAX, count) == 1 ? 0 : -EINVAL; }

int64_t cplatform_find(const uint8_t *bytes, int64_t length, const uint8_t *part, int64_t part_length) {
    const uint8_t *found = memmem(bytes, (size_t)length, part, (size_t)part_length);
    return found ? found - bytes : -1;
}

int cplatform_entries(int fd, void *buffer, int size) {
    long filled = syscall(SYS_getdents64, fd, buffer, size);
    return filled < 0 ? -errno : (int)filled;
}
