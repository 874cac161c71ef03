// The Linux calls that Swift's Glibc module leaves out, as plain functions. Each returns 0 or more on success and -errno on failure.
#pragma once
#include <stdint.h>

// renameat2(2) with RENAME_NOREPLACE.
int cplatform_rename_noreplace(const char *from, const char *to);
// syncfs(2): everything written to the file system that holds this open file.
int cplatform_syncfs(int fd);
// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: starts writing a range to the device and does not wait.
int cplatform_start_writeback(int fd, int64_t offset, int64_t length);
// Seconds and nanoseconds of CLOCK_REALTIME_COARSE, the clock that file times are taken from.
int cplatform_coarse_clock(int64_t *seconds, int64_t *nanoseconds);
// FS_IOC_GETFSLABEL: the label of the file system that holds this open file, with its final 0, at most 256 bytes.
int cplatform_file_system_label(int fd, char label[256]);
// statx(2) with STATX_MNT_ID: the number that mountinfo has of what is mounted where the path leads, of Linux 5.8 and later.
int cplatform_mount_number(const char *path, int64_t *number);
// getdents64(2): the next entries of a directory, as struct linux_dirent64, into a buffer; how many bytes they take, 0 at the end.
int cplatform_entries(int fd, void *buffer, int size);
// mallopt(3) with M_ARENA_MAX: how many heaps the threads share.
int cplatform_limit_heaps(int count);
// memmem(3): where a part stands first; -1 where it does not.
int64_t cplatform_find(const uint8_t *bytes, int64_t length, const uint8_t *part, int64_t part_length);
