/* Replays order events against a book and clears it after each batch: how long a clearing takes.
 *
 *     cc -std=c99 replay.c -o replay $(python -m kpm_fast --cflags --libs) && ./replay ../../race_card
 */
#define _POSIX_C_SOURCE 199309L
#include <kpm/kpm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVENTS = 100000, BATCH = 100, MOST_STATES = 16, MOST_CLAIMS = 32, MOST_ORDERS = 4096 };

static double payoffs[MOST_CLAIMS * MOST_STATES], prior[MOST_STATES], inventory[MOST_STATES];
static char names[MOST_CLAIMS][64];
static int64_t claim[MOST_ORDERS];
static int8_t side[MOST_ORDERS];
static double price[MOST_ORDERS], quantity[MOST_ORDERS], full[MOST_ORDERS], fills[MOST_ORDERS];

/* The next row of a table, cut at its commas; the number of its cells. */
static int next_row(FILE *file, char *line, char **cells, int most) {
  int count = 0;
  if (fgets(line, 1024, file) == NULL) return 0;
  line[strcspn(line, "\r\n")] = '\0';
  for (char *cell = strtok(line, ","); cell != NULL && count < most; cell = strtok(NULL, ",")) cells[count++] = cell;
  return count;
}

static FILE *open_table(const char *folder, const char *name, char *line, char **cells) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (file == NULL || next_row(file, line, cells, 20) == 0) { perror(path); exit(1); }
  return file;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : "../../race_card";
  char line[1024], *cells[20];
  kpm_market market = {sizeof market, 0, 0, payoffs, prior, inventory, 0.01, 0.01};
  kpm_orders orders = {sizeof orders, 0, claim, side, price, quantity, NULL};

  FILE *file = open_table(folder, "states.csv", line, cells);
  while (market.states < MOST_STATES && next_row(file, line, cells, 20) > 1) prior[market.states++] = atof(cells[1]);
  fclose(file);
  double sum = 0.0; /* of probabilities that a table has rounded */
  for (int i = 0; i < market.states; ++i) sum += prior[i];
  for (int i = 0; i < market.states; ++i) prior[i] /= sum;

  file = open_table(folder, "claims.csv", line, cells);
  while (market.claims < MOST_CLAIMS && next_row(file, line, cells, 20) > market.states) {
    snprintf(names[market.claims], sizeof names[0], "%s", cells[0]);
    for (int i = 0; i < market.states; ++i) payoffs[market.claims * market.states + i] = atof(cells[1 + i]);
    ++market.claims;
  }
  fclose(file);

  file = open_table(folder, "orders.csv", line, cells);
  while (orders.count < MOST_ORDERS && next_row(file, line, cells, 20) > 4) {
    const int64_t j = orders.count++;
    while (claim[j] < market.claims && strcmp(names[claim[j]], cells[1]) != 0) ++claim[j];
    side[j] = strcmp(cells[2], "buy") == 0 ? 1 : -1;
    price[j] = atof(cells[3]);
    full[j] = quantity[j] = atof(cells[4]);
  }
  fclose(file);

  kpm_result result = {.struct_size = sizeof result};
  result.fills = fills;
  static double microseconds[EVENTS / BATCH];
  uint64_t random = 1;
  const double start = now();
  for (int event = 0; event < EVENTS; ++event) {
    /* An order is cancelled, or comes back with some of its quantity. */
    random = random * 6364136223846793005u + 1442695040888963407u;
    const int64_t j = (int64_t)((random >> 33) % (uint64_t)orders.count);
    quantity[j] = quantity[j] > 0.0 ? 0.0 : full[j] * (double)(1 + (random >> 60)) / 16.0;
    if ((event + 1) % BATCH != 0) continue;
    const double before = now();
    if (kpm_clear(&market, &orders, NULL, &result) != KPM_OK) {
      kpm_error error = {.struct_size = sizeof error};
      kpm_last_error(&error);
      fprintf(stderr, "%s\n", error.message);
      return 1;
    }
    microseconds[event / BATCH] = 1e6 * (now() - before);
  }
  const double seconds = now() - start;
  enum { CLEARINGS = EVENTS / BATCH };
  qsort(microseconds, CLEARINGS, sizeof microseconds[0], by_size);
  printf("C: %d events, %.0f a second; a clearing of %d orders takes %.1f us (p50), %.1f (p99), %.1f (p99.9)\n",
         EVENTS, EVENTS / seconds, (int)orders.count, microseconds[CLEARINGS / 2],
         microseconds[CLEARINGS * 99 / 100], microseconds[CLEARINGS * 999 / 1000]);
  printf("the maker is worth %.6f, at most %.6f\n", result.certainty_equivalent, result.upper_bound);
  return 0;
}
