/* The least a machine needs for the first validation of a SEG500USIN file: one pass over the bytes, one thread, no
   messages. Counts lines with a fault, repeated keys and profiles without their user.

   gcc -O3 -march=native bench/limit.c -o limit && ./limit FILE */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

typedef unsigned char byte;
typedef struct { const byte *at; int size; } Cell;
enum { DIGIT = 1, UPPER = 2, LOWER = 4, ENYE = 8, SPACE = 16, JOIN = 32, SIGN = 64, MOST = 16 };
static byte kind[256];

static void classify(void) {
    for (int c = '0'; c <= '9'; c++) kind[c] = DIGIT;
    for (int c = 'A'; c <= 'Z'; c++) kind[c] = UPPER, kind[c + 32] = LOWER;
    kind[0xD1] = ENYE; /* cp1252 */
    kind[' '] = SPACE;
    kind['\''] = kind['-'] = JOIN;
    for (const byte *c = (const byte *)"!#$%&()*+,./:;<=>?@[]_"; *c; c++) kind[*c] = SIGN;
}

static int among(Cell cell, int kinds, int least, int most) {
    if (cell.size < least || cell.size > most) return 0;
    for (int i = 0; i < cell.size; i++)
        if (!(kind[cell.at[i]] & kinds)) return 0;
    return 1;
}

static int name(Cell cell) { return among(cell, UPPER | ENYE | SPACE | JOIN, 1, 60); }

static int person(Cell type, Cell number) {
    static const char known[] = "CCCECDPAPT";
    int found = 0;
    for (int i = 0; type.size == 2 && i < 10; i += 2) found |= type.at[0] == known[i] && type.at[1] == known[i + 1];
    return found && among(number, DIGIT | UPPER | ENYE, 1, 17);
}

static int day(Cell cell) {
    static const int days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const byte *c = cell.at;
    if (cell.size != 10 || c[4] != '-' || c[7] != '-') return 0;
    for (int i = 0; i < 10; i++)
        if (i != 4 && i != 7 && !(kind[c[i]] & DIGIT)) return 0;
    int year = (c[0] - 48) * 1000 + (c[1] - 48) * 100 + (c[2] - 48) * 10 + c[3] - 48;
    int month = (c[5] - 48) * 10 + c[6] - 48, date = (c[8] - 48) * 10 + c[9] - 48;
    int leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && date >= 1 && date <= days[month] + leap;
}

static int mail(Cell cell) {
    const byte *at = memchr(cell.at, '@', cell.size);
    if (!at || at == cell.at || cell.size > 101) return 0;
    int label = 0, dots = 0, letters = 1;
    for (const byte *c = cell.at; c < at; c++)
        if (!(kind[*c] & (DIGIT | UPPER | LOWER)) && !strchr("._+-", *c)) return 0;
    for (const byte *c = at + 1; c < cell.at + cell.size; c++) {
        if (*c == '.') {
            if (!label) return 0;
            label = 0, letters = 1, dots++;
        } else if ((kind[*c] & (DIGIT | UPPER | LOWER)) || *c == '-') {
            letters &= (kind[*c] & (UPPER | LOWER)) != 0, label++;
        } else return 0;
    }
    return dots && label >= 2 && letters;
}

/* Fields 7 to 11 are there for whoever is linked (V) and empty for whoever leaves (O); 1 is a contract without end. */
static int user(const Cell *cell) {
    int fine = name(cell[4]) && name(cell[5]) && cell[6].size == 1;
    if (fine && *cell[6].at == 'O')
        return !(cell[7].size | cell[8].size | cell[9].size | cell[10].size | cell[11].size);
    return fine && *cell[6].at == 'V' && among(cell[7], DIGIT, 7, 26) && among(cell[8], 127 - LOWER, 1, 100) &&
           cell[9].size == 1 && (*cell[9].at == '1' ? !cell[10].size : *cell[9].at == '0' && day(cell[10])) &&
           mail(cell[11]);
}

static int profile(const Cell *cell) {
    int given = cell[5].size == 1 && *cell[5].at == 'A';
    return among(cell[4], DIGIT | UPPER | ENYE, 1, 3) && (given || (cell[5].size == 1 && *cell[5].at == 'R')) &&
           among(cell[6], DIGIT | UPPER | ENYE, given, 4);
}

static uint64_t hashed(Cell cell, uint64_t seed) {
    uint64_t sum = seed ^ (0x9E3779B97F4A7C15ull * cell.size);
    for (int i = 0; i < cell.size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, cell.at + i, cell.size - i < 8 ? cell.size - i : 8);
        sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
        sum ^= sum >> 32;
    }
    return sum;
}

static void sort(uint64_t *keys, uint64_t *spare, size_t many) {
    for (int shift = 0; shift < 64; shift += 8) {
        size_t place[257] = {0};
        for (size_t i = 0; i < many; i++) place[(keys[i] >> shift & 255) + 1]++;
        for (int i = 0; i < 256; i++) place[i + 1] += place[i];
        for (size_t i = 0; i < many; i++) spare[place[keys[i] >> shift & 255]++] = keys[i];
        uint64_t *other = keys;
        keys = spare, spare = other;
    }
}

static size_t repeated(uint64_t *keys, uint64_t *spare, size_t many) {
    size_t found = 0;
    sort(keys, spare, many);
    for (size_t i = 1; i < many; i++) found += keys[i] == keys[i - 1];
    return found;
}

int main(int many, char **said) {
    struct stat about;
    int file = many > 1 ? open(said[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &about)) return 2;
    const byte *here = mmap(0, about.st_size + 64, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    const byte *end = here + about.st_size;
    size_t room = about.st_size / 20 + 16, users = 0, profiles = 0, coming = 0, wrong = 0, line = 0, strangers = 0;
    uint64_t *user_keys = malloc(room * 8), *coming_keys = malloc(room * 8), *spare = malloc(room * 8);
    uint64_t *profile_keys = malloc(room * 8), *profile_who = malloc(room * 8);
    classify();
    while (here < end) {
        Cell cell[MOST + 1];
        int cells = 0, fine = 0;
        cell[0].at = here;
        for (; here < end && *here != '\n'; here++)
            if (*here == '|' && cells < MOST) cell[cells].size = here - cell[cells].at, cell[++cells].at = here + 1;
        cell[cells].size = here - cell[cells].at - (here > cell[cells].at && here[-1] == '\r');
        cells++, here++;
        uint64_t number = 0;
        for (int i = 0; cells > 1 && i < cell[1].size; i++) number = number * 10 + cell[1].at[i] - 48;
        if (!line) fine = *cell[0].at == '1' && cells == 16;
        else if (cells == 12 || cells == 7) {
            uint64_t who = hashed(cell[3], hashed(cell[2], 1));
            fine = number == line && person(cell[2], cell[3]) && (cells == 12 ? user(cell) : profile(cell));
            if (cells == 12) {
                user_keys[users++] = who;
                if (cell[6].size && *cell[6].at == 'V') coming_keys[coming++] = who;
            } else profile_who[profiles] = who, profile_keys[profiles++] = hashed(cell[4], who);
        }
        wrong += !fine, line++;
    }
    size_t twice = repeated(user_keys, spare, users) + repeated(profile_keys, spare, profiles), at = 0;
    sort(coming_keys, spare, coming);
    sort(profile_who, spare, profiles);
    for (size_t i = 0; i < profiles; i++) {
        while (at < coming && coming_keys[at] < profile_who[i]) at++;
        strangers += at == coming || coming_keys[at] != profile_who[i];
    }
    printf("%zu lines, %zu wrong, %zu repeated, %zu without user\n", line, wrong, twice, strangers);
    return 0;
}
