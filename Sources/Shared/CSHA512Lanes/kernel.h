// SHA-512 over LANES messages at once, one message in each 64-bit element of a vector. Included once per width, without a guard.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(name, LANES)
#define WORDS NAME(words)

#if LANES == 1
typedef uint64_t WORDS;
#else
typedef uint64_t WORDS __attribute__((vector_size(8 * LANES)));
typedef uint8_t NAME(bytes) __attribute__((vector_size(8 * LANES)));
#endif

// The next 16 words of every lane: word i of all lanes in w[i].
static inline __attribute__((always_inline)) void NAME(load)(WORDS w[16], const uint8_t *const next[LANES]) {
#if LANES == 1
    memcpy(w, next[0], BLOCK);
    for (int i = 0; i < 16; i++) w[i] = __builtin_bswap64(w[i]);
#else
    for (int part = 0; part < 16; part += LANES) {
        WORDS *row = w + part;
        for (int lane = 0; lane < LANES; lane++) {
            NAME(bytes) b;
            memcpy(&b, next[lane] + 8 * part, sizeof b);
#if LANES == 4
            b = __builtin_shufflevector(
                b, b, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 23, 22, 21, 20, 19, 18, 17, 16, 31, 30, 29, 28, 27, 26,
                25, 24);
#else
            b = __builtin_shufflevector(
                b, b, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 23, 22, 21, 20, 19, 18, 17, 16, 31, 30, 29, 28, 27, 26,
                25, 24, 39, 38, 37, 36, 35, 34, 33, 32, 47, 46, 45, 44, 43, 42, 41, 40, 55, 54, 53, 52, 51, 50, 49, 48, 63, 62, 61,
                60, 59, 58, 57, 56);
#endif
            row[lane] = (WORDS)b;
        }
        // A square of rows (one lane each) becomes its columns: the off-diagonal quarters change places, then theirs.
        for (int distance = LANES / 2; distance > 0; distance /= 2) {
            for (int lane = 0; lane < LANES; lane++) {
                if (lane & distance) continue;
                WORDS low = row[lane], high = row[lane + distance];
#if LANES == 4
                if (distance == 2) {
                    row[lane] = __builtin_shufflevector(low, high, 0, 1, 4, 5);
                    row[lane + distance] = __builtin_shufflevector(low, high, 2, 3, 6, 7);
                } else {
                    row[lane] = __builtin_shufflevector(low, high, 0, 4, 2, 6);
                    row[lane + distance] = __builtin_shufflevector(low, high, 1, 5, 3, 7);
                }
#else
                if (distance == 4) {
                    row[lane] = __builtin_shufflevector(low, high, 0, 1, 2, 3, 8, 9, 10, 11);
                    row[lane + distance] = __builtin_shufflevector(low, high, 4, 5, 6, 7, 12, 13, 14, 15);
                } else if (distance == 2) {
                    row[lane] = __builtin_shufflevector(low, high, 0, 1, 8, 9, 4, 5, 12, 13);
                    row[lane + distance] = __builtin_shufflevector(low, high, 2, 3, 10, 11, 6, 7, 14, 15);
                } else {
                    row[lane] = __builtin_shufflevector(low, high, 0, 8, 2, 10, 4, 12, 6, 14);
                    row[lane + distance] = __builtin_shufflevector(low, high, 1, 9, 3, 11, 5, 13, 7, 15);
                }
#endif
            }
        }
    }
#endif
}

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define SUM_A(x) (ROTATE(x, 28) ^ ROTATE(x, 34) ^ ROTATE(x, 39))
#define SUM_E(x) (ROTATE(x, 14) ^ ROTATE(x, 18) ^ ROTATE(x, 41))
#define MIX_0(x) (ROTATE(x, 1) ^ ROTATE(x, 8) ^ ((x) >> 7))
#define MIX_1(x) (ROTATE(x, 19) ^ ROTATE(x, 61) ^ ((x) >> 6))

// One round (FIPS 180-4 §6.4.2). The majority of a, b, c is b ^ ((a ^ b) & (b ^ c)), and b ^ c is the round before's a ^ b.
#define ROUND(a, b, c, d, e, f, g, h, i)                                                                   \
    do {                                                                                                   \
        WORDS t = h + (w[i] + constants[i]) + ((e & f) ^ (~e & g)) + SUM_E(e);                             \
        WORDS a_b = a ^ b;                                                                                 \
        d += t;                                                                                            \
        h = t + (b ^ (a_b & b_c)) + SUM_A(a);                                                              \
        b_c = a_b;                                                                                         \
    } while (0)

// One round, and the word that is due sixteen rounds later in place of the one just used.
#define ROUND_AND_WORD(a, b, c, d, e, f, g, h, i)                                                          \
    do {                                                                                                   \
        ROUND(a, b, c, d, e, f, g, h, i);                                                                  \
        w[i] += MIX_0(w[(i + 1) & 15]) + w[(i + 9) & 15] + MIX_1(w[(i + 14) & 15]);                        \
    } while (0)

#define EIGHT(ROUND, i)                                                                                    \
    ROUND(a, b, c, d, e, f, g, h, i);                                                                      \
    ROUND(h, a, b, c, d, e, f, g, i + 1);                                                                  \
    ROUND(g, h, a, b, c, d, e, f, i + 2);                                                                  \
    ROUND(f, g, h, a, b, c, d, e, i + 3);                                                                  \
    ROUND(e, f, g, h, a, b, c, d, i + 4);                                                                  \
    ROUND(d, e, f, g, h, a, b, c, i + 5);                                                                  \
    ROUND(c, d, e, f, g, h, a, b, i + 6);                                                                  \
    ROUND(b, c, d, e, f, g, h, a, i + 7)

// Takes `blocks` blocks of every lane into the states.
static void NAME(compress)(WORDS state[8], const uint8_t *const starts[LANES], size_t blocks) {
    const uint8_t *next[LANES];
    memcpy(next, starts, sizeof next);
    for (; blocks > 0; blocks--) {
        WORDS w[16];
        NAME(load)(w, next);
        for (int lane = 0; lane < LANES; lane++) next[lane] += BLOCK;
        WORDS a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
        WORDS b_c = b ^ c;
        const uint64_t *constants = round_constants;
#pragma clang loop unroll(disable)
        for (; constants < round_constants + 64; constants += 16) {
            EIGHT(ROUND_AND_WORD, 0);
            EIGHT(ROUND_AND_WORD, 8);
        }
        EIGHT(ROUND, 0);
        EIGHT(ROUND, 8);
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

#if LANES > 1
// Takes `blocks` blocks of up to LANES messages, each with its state of eight words; lanes without a message go along with the first.
static void NAME(take)(uint64_t *messages, const uint8_t *const *starts, size_t count, size_t blocks) {
    const uint8_t *next[LANES];
    WORDS state[8];
    uint64_t *states = (uint64_t *)state;
    for (size_t lane = 0; lane < LANES; lane++) {
        size_t message = lane < count ? lane : 0;
        next[lane] = starts[message];
        for (int i = 0; i < 8; i++) states[LANES * i + lane] = messages[8 * message + i];
    }
    NAME(compress)(state, next, blocks);
    for (size_t message = 0; message < count; message++) {
        for (int i = 0; i < 8; i++) messages[8 * message + i] = states[LANES * i + message];
    }
}
#endif

// Word i of a lane's state is states[LANES * i + lane].
static void NAME(finish)(struct lane *lane, const uint64_t *states) {
    for (int i = 0; i < 8; i++) {
        uint64_t word = __builtin_bswap64(states[LANES * i]);
        memcpy(lane->digest + 8 * i, &word, sizeof word);
    }
}

// Brings a lane to where it has blocks to compress: over its message's end, or into the next message. Returns 0 when there is none.
static int NAME(advance)(struct lane *lane, struct queue *queue, uint64_t *states) {
    while (lane->digest == NULL || lane->blocks == 0) {
        if (lane->digest != NULL && !lane->is_padded) {
            lane_pad(lane);
            continue;
        }
        if (lane->digest != NULL) NAME(finish)(lane, states);
        if (!lane_take(lane, queue)) return 0;
        for (int i = 0; i < 8; i++) states[LANES * i] = initial_state[i];
    }
    return 1;
}

// Digests all messages of the queue. Lanes run together as long as the shortest of them; a lane that ends takes the next message.
static void NAME(many)(struct queue *queue) {
    struct lane lanes[LANES];
    WORDS state[8];
    uint64_t *states = (uint64_t *)state;
    memset(state, 0, sizeof state);
    for (int lane = 0; lane < LANES; lane++) lanes[lane].digest = NULL;
    for (;;) {
        const uint8_t *next[LANES];
        const uint8_t *busy = NULL;
        size_t blocks = SIZE_MAX;
        int running = 0;
        for (int lane = 0; lane < LANES; lane++) {
            next[lane] = NULL;
            if (lanes[lane].digest == NULL && queue->taken == queue->count) continue;
            if (!NAME(advance)(&lanes[lane], queue, states + lane)) continue;
            busy = next[lane] = lanes[lane].next;
            if (lanes[lane].blocks < blocks) blocks = lanes[lane].blocks;
            running++;
        }
        if (running == 0) return;
#if LANES > 1
        // With three quarters of the lanes out of work, one lane at a time is faster.
        if (running <= LANES / 4) break;
#endif
        for (int lane = 0; lane < LANES; lane++) {
            if (next[lane] == NULL) next[lane] = busy;
        }
        NAME(compress)(state, next, blocks);
        for (int lane = 0; lane < LANES; lane++) {
            if (lanes[lane].digest == NULL) continue;
            lanes[lane].next += blocks * BLOCK;
            lanes[lane].blocks -= blocks;
        }
    }
#if LANES > 1
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t single[8];
        for (int i = 0; i < 8; i++) single[i] = states[LANES * i + lane];
        if (lanes[lane].digest == NULL) continue;
        do {
            const uint8_t *const next[1] = {lanes[lane].next};
            compress_1(single, next, lanes[lane].blocks);
            lanes[lane].next += lanes[lane].blocks * BLOCK;
            lanes[lane].blocks = 0;
        } while (advance_1(&lanes[lane], queue, single));
    }
#endif
}

#undef JOIN_
#undef JOIN
#undef NAME
#undef WORDS
#undef ROTATE
#undef SUM_A
#undef SUM_E
#undef MIX_0
#undef MIX_1
#undef ROUND
#undef ROUND_AND_WORD
#undef EIGHT
