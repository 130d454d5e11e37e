/* One walk over the bytes of whole lines: which of them have no fault in any cell, and numbers of their cells.

   The table (`automata.py`) has a row for each state: where each class of byte leads, as the offset of a row, and in its
   first column which of `accepts` is the state's. Class 0 are the bytes that end a cell: bar, LF, CR. Nothing here
   knows an annex. The last byte must be an LF, and there must be room for as many lines as there are LFs. */
#include <stdint.h>

#define MOST_SUMS 8
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
    uint32_t most, sums;
} Table;

static uint64_t hashed(const uint8_t *begin, const uint8_t *end) {
    uint64_t hash = OFFSET;
    for (; begin < end; begin++) hash = (hash ^ *begin) * PRIME;
    hash = (hash ^ (hash >> 32)) * MIX;
    return hash ^ (hash >> 32);
}

static uint64_t digits(const uint8_t *begin, const uint8_t *end) {
    uint64_t value = 0;
    for (; begin < end; begin++)
        if (*begin >= '0' && *begin <= '9') value = value * 10 + (*begin - '0');
    return value;
}

/* Of each line: its record (`nobody` where it is not accepted), where it ends, the weighed sums of the hashes of its
   cells, and the digits of some cells as numbers. Returns how many lines there are. */
int64_t pisis_walk(const Table *table, const uint8_t *raw, int64_t size, int64_t room, uint8_t nobody, uint8_t *records,
                   int64_t *ends, uint64_t *sums, uint64_t *values) {
    const uint8_t *here = raw, *end = raw + size, *classes = table->classes;
    const uint32_t *steps = table->steps, *starts = table->starts;
    const uint32_t kinds = table->sums, most = table->most;
    int64_t line = 0;
    const char *columns[256];
    for (int byte = 0; byte < 256; byte++)
        columns[byte] = classes[byte] ? (const char *)(steps + classes[byte]) : 0;
    while (here < end && line < room) {
        uint32_t cell = 0, record = 0, width = 0, state = starts[0];
        uint64_t cases = 0, added[MOST_SUMS] = {0};
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
                if (accepted) record = __builtin_ctzll(accepted), width = table->widths[record], cases = ~0ull;
            } else if (cell < width) {
                cases &= accepted;
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
        for (uint32_t sum = 0; sum < kinds; sum++) sums[sum * room + line] = added[sum];
        records[line] = cases && cell == width ? record : nobody;
        ends[line++] = here++ - raw;
    }
    return line;
}
