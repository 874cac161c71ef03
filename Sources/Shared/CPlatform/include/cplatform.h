// The Linux calls that Swift's Glibc module leaves out, as plain functions. Each returns 0 or more on success and -errno on failure.
#pragma once
#include <stdint.h>

// renameat2(2) with RENAME_NOREPLACE.
int cplatform_rename_noreplace(const char *from, const char *to);
// syncfs(2): everything written to the file system that holds this open file.
int cplatform_syncfs(int fd);
// An unnamed file in a directory, open(2) with O_TMPFILE; it vanishes when closed. Returns the descriptor.
int cplatform_open_unnamed(const char *directory);
// Seconds and nanoseconds of CLOCK_REALTIME_COARSE, the clock that file times are taken from.
int cplatform_coarse_clock(int64_t *seconds, int64_t *nanoseconds);
// The magic number of the file system that holds a path, statfs(2).
int cplatform_filesystem_type(const char *path, int64_t *type);
