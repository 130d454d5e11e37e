/* One walk over the bytes of whole lines: which of them have no fault in any cell, and numbers of their cells.

   The table (`automata.py`) has a row for each state: where each class of byte leads, as the offset of a row, and in its
   first column which of `accepts` is the state's. Class 0 are the bytes that end a cell: bar, LF, CR. Nothing here
   knows an annex. The last byte must be an LF, and there must be room for as many lines as there are LFs. */
#include <stdint.h>
#include <string.h>

#define MOST_SUMS 8
#define MOST_CELLS 64 /* of a line whose doubts are told */
#define TRIES 16 /* to find a kind again */
#define EVERY (~0ull)
#define ENYE 0xD1
#define OFFSET 0xCBF29CE484222325u /* FNV-1a */
#define PRIME 0x100000001B3u
#define MIX 0xD6E8FEB86659FD93u

typedef struct {
    const uint8_t *classes;   /* [256] */
    const uint32_t *steps;    /* [states][columns] */
    const uint64_t *accepts;  /* of the first cell the records, of others the cases, as bits */
    const uint32_t *starts;   /* [records][most]: the state each cell begins in */
    const uint32_t *widths;   /* [records]: how many cells */
    const int8_t *roles;      /* [records][most]: which of `values` a cell's digits are, or -1 */
    const uint8_t *asked;     /* [records][most]: whether a cell has a weight */
    const uint64_t *weights;  /* [records][most][sums] */
    const uint64_t *governs;  /* [records]: the cells whose values are the case of a line, as bits */
    uint32_t most, sums;
} Table;

static uint64_t hashed(const uint8_t *begin, const uint8_t *end) {
    uint64_t hash = OFFSET;
    for (; begin < end; begin++) hash = (hash ^ *begin) * PRIME;
    hash = (hash ^ (hash >> 32)) * MIX;
    return hash ^ (hash >> 32);
}

/* The letters of cp1252 between 0x80 and 0x9F. */
static const uint16_t LETTERS[32] = {0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160,
                                     0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D,
                                     0x2022, 0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,  0x17E, 0x178};

/* A letter as it is read and hashed again: UTF-8, but for the one that is a byte. Returns how many bytes. */
static int written(uint8_t byte, uint8_t *out) {
    uint32_t letter = byte >= 0x80 && byte < 0xA0 ? LETTERS[byte - 0x80] : byte;
    if (letter < 0x80) return *out = byte, 1;
    if (letter < 0x800) return out[0] = (uint8_t)(0xC0 | letter >> 6), out[1] = 0x80 | (letter & 63), 2;
    return out[0] = (uint8_t)(0xE0 | letter >> 12), out[1] = 0x80 | (letter >> 6 & 63), out[2] = 0x80 | (letter & 63), 3;
}

static uint64_t hashed_text(const uint8_t *begin, const uint8_t *end) {
    uint64_t hash = OFFSET;
    uint8_t bytes[4];
    for (; begin < end; begin++) {
        int many = *begin == ENYE ? (*bytes = ENYE, 1) : written(*begin, bytes);
        for (int byte = 0; byte < many; byte++) hash = (hash ^ bytes[byte]) * PRIME;
    }
    hash = (hash ^ (hash >> 32)) * MIX;
    return hash ^ (hash >> 32);
}

/* The sums of a line with other letters, as they are of the rows that such lines are read into. */
static void add_again(const Table *table, uint32_t record, const uint8_t *here, uint64_t *added) {
    for (uint32_t sum = 0; sum < table->sums; sum++) added[sum] = 0;
    for (uint32_t cell = 0; cell < table->widths[record]; cell++, here++) {
        const uint8_t *begin = here;
        while (*here != '|' && *here != '\n' && !(*here == '\r' && here[1] == '\n')) here++;
        uint64_t hash = hashed_text(begin, here), place = record * table->most + cell;
        for (uint32_t sum = 0; sum < table->sums; sum++) added[sum] += hash * table->weights[place * table->sums + sum];
    }
}

/* The cells that cannot be vouched for in the case of their line, as bits. */
static uint64_t doubts_of(const uint64_t *accepted, uint32_t width, uint64_t governs) {
    uint64_t cases = EVERY, found = 0;
    for (uint32_t cell = 1; cell < width; cell++)
        if (governs >> cell & 1) cases &= accepted[cell];
    for (uint32_t cell = 1; cell < width; cell++)
        if (accepted[cell] != EVERY && !(accepted[cell] & cases)) found |= 1ull << cell;
    return found;
}

static uint64_t digits(const uint8_t *begin, const uint8_t *end) {
    uint64_t value = 0;
    for (; begin < end; begin++)
        if (*begin >= '0' && *begin <= '9') value = value * 10 + (*begin - '0');
    return value;
}

/* Of each line: its record (`nobody` where it is not accepted), where it ends, the weighed sums of the hashes of its
   cells, and the digits of some cells as numbers. Of lines up to `longest` bytes (cp1252) that are not accepted but have
   the cells of a record, that record and the cells in doubt; of others nobody. Returns how many lines there are. */
int64_t pisis_walk(const Table *table, const uint8_t *raw, int64_t size, int64_t room, uint8_t nobody, int64_t longest,
                   uint8_t *records, int64_t *ends, uint64_t *sums, uint64_t *values, uint8_t *wholes,
                   uint64_t *doubts) {
    const uint8_t *here = raw, *end = raw + size, *classes = table->classes;
    const uint32_t *steps = table->steps, *starts = table->starts;
    const uint32_t kinds = table->sums, most = table->most;
    int64_t line = 0;
    const char *columns[256];
    for (int byte = 0; byte < 256; byte++)
        columns[byte] = classes[byte] ? (const char *)(steps + classes[byte]) : 0;
    while (here < end && line < room) {
        uint32_t cell = 0, record = 0, width = 0, state = starts[0];
        uint64_t cases = 0, added[MOST_SUMS] = {0}, kept[MOST_CELLS];
        const uint8_t *first = here;
        for (;;) {
            const uint8_t *begin = here;
            uint32_t place = record * most + cell;
            const char *column;
            for (;;) {
                for (; (column = columns[*here]); here++) state = *(const uint32_t *)(column + state);
                if (*here != '\r' || here[1] == '\n') break;
                state = 0, here++;
            }
            uint64_t accepted = table->accepts[*(const uint32_t *)((const char *)steps + state)];
            if (!cell) {
                if (accepted) record = (uint32_t)__builtin_ctzll(accepted), width = table->widths[record], cases = ~0ull;
            } else if (cell < width) {
                cases &= accepted;
                if (cell < MOST_CELLS) kept[cell] = accepted;
                if (table->asked[place]) {
                    const uint64_t *weights = table->weights + (uint64_t)place * kinds;
                    uint64_t hash = hashed(begin, here);
                    for (uint32_t sum = 0; sum < kinds; sum++) added[sum] += hash * weights[sum];
                }
                if (table->roles[place] >= 0) values[table->roles[place] * room + line] = digits(begin, here);
            }
            cell++;
            here += *here == '\r';
            if (*here == '\n') break;
            here++;
            state = cell < width ? starts[record * most + cell] : 0;
        }
        records[line] = cases && cell == width ? (uint8_t)record : nobody;
        if (longest) {
            wholes[line] = nobody, doubts[line] = 0;
            const uint8_t *last = here - (here > first && here[-1] == '\r');
            if (!cases && width && cell == width && width <= MOST_CELLS && last - first <= longest && last[-1] != 0x1A) {
                uint64_t found = doubts_of(kept, width, table->governs[record]);
                int other = 0;
                for (const uint8_t *byte = first; byte < last; byte++) other |= *byte >= 0x80 && *byte != ENYE;
                if (other) add_again(table, record, first, added);
                if (found) wholes[line] = (uint8_t)record, doubts[line] = found;
            }
        }
        for (uint32_t sum = 0; sum < kinds; sum++) sums[sum * room + line] = added[sum];
        ends[line++] = here++ - raw;
    }
    return line;
}

/* The cells in doubt of some lines (by their place), told apart by their text and that of the cells which they are asked
   with: a kind for each, the same for the same, though one that is hard to find again may have several. `doubts` are bits by
   line, `asks` by cell; `slots` are zeros, more than cells in doubt, and their number is `mask` + 1, a power of two. Of each
   in order: which line it is in (`at`) and its kind (`kinds`). Of each kind its cell (`cells`) and where its text begins
   (`begins`) in that cell's `out`: the cells it is asked with, an LF after each; `sizes` says how much of it they took,
   and there must be room for all lines. Returns how many kinds there are. */
int64_t pisis_kinds(const uint8_t *raw, const int64_t *ends, const uint32_t *lines, int64_t many, const uint64_t *doubts,
                    const uint64_t *asks, uint32_t *slots, uint64_t mask, uint32_t *at, uint32_t *kinds, uint8_t *cells,
                    int64_t *begins, uint8_t **out, int64_t *sizes) {
    const uint8_t *edges[MOST_CELLS + 1];
    uint32_t found = 0;
    for (int64_t place = 0; place < many; place++) {
        uint64_t asked = 0;
        for (uint64_t left = doubts[place]; left; left &= left - 1) asked |= asks[__builtin_ctzll(left)];
        const uint8_t *here = raw + (lines[place] ? ends[lines[place] - 1] + 1 : 0);
        edges[0] = here;
        for (uint32_t cell = 0; cell < MOST_CELLS && asked >> cell; cell++, here++) {
            while (*here != '|' && *here != '\n' && !(*here == '\r' && here[1] == '\n')) here++;
            edges[cell + 1] = here + 1;
        }
        for (uint64_t left = doubts[place]; left; left &= left - 1) {
            uint8_t cell = (uint8_t)__builtin_ctzll(left), *text = out[cell] + sizes[cell], *end = text;
            for (uint64_t rest = asks[cell]; rest; rest &= rest - 1) {
                int other = __builtin_ctzll(rest);
                for (const uint8_t *byte = edges[other]; byte < edges[other + 1] - 1; byte++) *end++ = *byte;
                *end++ = '\n';
            }
            uint64_t slot = hashed(text, end) + cell;
            uint32_t kind = found;
            for (int tries = 0; tries < TRIES; tries++, slot++) {
                uint32_t known = slots[slot & mask];
                if (!known) {
                    slots[slot & mask] = found + 1;
                    break;
                }
                if (cells[known - 1] == cell && !memcmp(out[cell] + begins[known - 1], text, (size_t)(end - text))) {
                    kind = known - 1;
                    break;
                }
            }
            if (kind == found) {
                cells[found] = cell, begins[found++] = sizes[cell];
                sizes[cell] = end - out[cell];
            }
            *at++ = lines[place], *kinds++ = kind;
        }
    }
    return found;
}

/* Some lines (by their place, in order) with their ends, into `out`, which has room for all and one LF; what they take.
   `last` says whether the last of them is the last there is. */
int64_t pisis_lines(const uint8_t *raw, int64_t size, const uint32_t *lines, int64_t many, uint8_t *out, uint8_t *last) {
    const uint8_t *here = raw, *over = raw + size;
    uint8_t *at = out;
    int64_t found = 0;
    *last = 0;
    for (uint32_t line = 0; found < many && here < over; line++) {
        const uint8_t *end = memchr(here, '\n', (size_t)(over - here));
        if (!end) end = over;
        if (line == lines[found]) {
            memcpy(at, here, (size_t)(end - here)), at += end - here, *at++ = '\n';
            *last = ++found == many && over - end <= 1;
        }
        here = end < over ? end + 1 : over;
    }
    return at - out;
}
