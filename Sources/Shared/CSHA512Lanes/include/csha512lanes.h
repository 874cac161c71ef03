#pragma once

#include <stddef.h>
#include <stdint.h>

// How many messages this processor digests at once: eight with AVX-512 (F, BW, DQ, VL), four with AVX2, otherwise none, and then
// a tuned one-stream SHA-512 is the better choice.
int csha512_lanes(void);

// SHA-512 (FIPS 180-4) of `count` independent messages of any lengths. The digest of message i is the 64 bytes at
// `digests + 64 * i`. A message of no bytes may be NULL. Lanes that the processor lacks are not used; fewer than four mean one
// message after the other in portable C. Lanes stay fullest when long messages come first.
void csha512_many(
    const uint8_t *const *messages, const size_t *lengths, uint8_t *digests, size_t count, int lanes);

// Messages that come piece by piece. Word i of message m's state is `states[8 * m + i]`.

// The state of a message of which nothing is taken yet.
void csha512_begin(uint64_t state[8]);

// Takes `blocks` blocks of 128 bytes of each of up to eight messages, which start at `starts`, into their states.
void csha512_take(uint64_t *states, const uint8_t *const *starts, size_t count, size_t blocks);

// Takes the last `rest` bytes of a message, of any number, and makes its digest; `length` is that of the whole message.
void csha512_end(uint64_t state[8], const uint8_t *last, size_t rest, uint64_t length, uint8_t digest[64]);
