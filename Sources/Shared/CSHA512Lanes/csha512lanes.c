#include "csha512lanes.h"

#include <string.h>

// FIPS 180-4 §4.2.3: the fractions of the cube roots of the first eighty primes.
static const uint64_t round_constants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

// FIPS 180-4 §5.3.5: the fractions of the square roots of the first eight primes.
static const uint64_t initial_state[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

enum { BLOCK = 128, DIGEST = 64 };

// What one lane is doing. The message's whole blocks are read where they lie; its end is padded in `tail`.
struct lane {
    const uint8_t *next;       // the next block
    size_t blocks;             // how many blocks follow one another at `next`
    size_t rest;               // bytes after them, still to be padded
    uint64_t length;           // of the whole message
    uint8_t *digest;           // where it goes; none for a lane without a message
    int is_padded;             // whether `next` is in `tail`
    uint8_t tail[2 * BLOCK];
};

// The messages no lane has begun.
struct queue {
    const uint8_t *const *messages;
    const size_t *lengths;
    uint8_t *digests;
    size_t count;
    size_t taken;
};

static int lane_take(struct lane *lane, struct queue *queue) {
    lane->digest = NULL;
    if (queue->taken == queue->count) return 0;
    size_t index = queue->taken++;
    lane->next = queue->messages[index];
    lane->length = queue->lengths[index];
    lane->blocks = lane->length / BLOCK;
    lane->rest = lane->length % BLOCK;
    lane->digest = queue->digests + index * DIGEST;
    lane->is_padded = 0;
    return 1;
}

// FIPS 180-4 §5.1.2: a one bit, zeros, and the length in bits as sixteen bytes.
static void lane_pad(struct lane *lane) {
    size_t size = lane->rest + 17 > BLOCK ? 2 * BLOCK : BLOCK;
    memset(lane->tail, 0, size);
    if (lane->rest > 0) memcpy(lane->tail, lane->next, lane->rest);
    lane->tail[lane->rest] = 0x80;
    uint64_t bits[2] = {__builtin_bswap64(lane->length >> 61), __builtin_bswap64(lane->length << 3)};
    memcpy(lane->tail + size - sizeof bits, bits, sizeof bits);
    lane->next = lane->tail;
    lane->blocks = size / BLOCK;
    lane->is_padded = 1;
}

#define LANES 1
#include "kernel.h"
#undef LANES

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define LANES 4
#include "kernel.h"
#undef LANES
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#define LANES 8
#include "kernel.h"
#undef LANES
#pragma clang attribute pop

int csha512_lanes(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return 8;
    return __builtin_cpu_supports("avx2") ? 4 : 0;
}

#else

int csha512_lanes(void) { return 0; }

#endif

void csha512_many(
    const uint8_t *const *messages, const size_t *lengths, uint8_t *digests, size_t count, int lanes) {
    struct queue queue = {messages, lengths, digests, count, 0};
    int most = csha512_lanes();
    if (lanes > most) lanes = most;
#if defined(__x86_64__)
    if (lanes >= 8) {
        many_8(&queue);
        return;
    }
    if (lanes >= 4) {
        many_4(&queue);
        return;
    }
#endif
    many_1(&queue);
}

void csha512_begin(uint64_t state[8]) { memcpy(state, initial_state, sizeof initial_state); }

void csha512_take(uint64_t *states, const uint8_t *const *starts, size_t count, size_t blocks) {
#if defined(__x86_64__)
    int lanes = csha512_lanes();
    if (count > 1 && count <= 4 && lanes >= 4) {
        take_4(states, starts, count, blocks);
        return;
    }
    if (count > 1 && count <= 8 && lanes >= 8) {
        take_8(states, starts, count, blocks);
        return;
    }
#endif
    for (size_t message = 0; message < count; message++) compress_1(states + 8 * message, starts + message, blocks);
}

void csha512_end(uint64_t state[8], const uint8_t *last, size_t rest, uint64_t length, uint8_t digest[64]) {
    struct lane lane = {.next = last, .blocks = rest / BLOCK, .rest = rest % BLOCK, .length = length, .digest = digest};
    const uint8_t *next[1] = {lane.next};
    compress_1(state, next, lane.blocks);
    lane.next += lane.blocks * BLOCK;
    lane_pad(&lane);
    next[0] = lane.next;
    compress_1(state, next, lane.blocks);
    finish_1(&lane, state);
}
