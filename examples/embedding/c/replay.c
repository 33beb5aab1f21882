/* Sends order events to an engine and clears its book after each batch: how long both take.
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
static double price[MOST_ORDERS], quantity[MOST_ORDERS], fills[MOST_ORDERS];

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

static void refuse(const char *folder, const char *what) {
  fprintf(stderr, "%s: %s\n", folder, what);
  exit(1);
}

static int failed(void) {
  kpm_error error = {.struct_size = sizeof error};
  kpm_last_error(&error);
  fprintf(stderr, "%s\n", error.message);
  return 1;
}

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : "../../race_card";
  char line[1024], *cells[20];
  kpm_market market = {.struct_size = sizeof market, .payoffs = payoffs, .prior = prior,
                       .inventory = inventory,
                       /* market.json of the race card */
                       .risk_aversion = 0.001, .ambiguity = 0.01};
  kpm_orders orders = {.struct_size = sizeof orders, .claim = claim, .side = side,
                       .price = price, .quantity = quantity};

  FILE *file = open_table(folder, "states.csv", line, cells);
  while (next_row(file, line, cells, 20) > 1) {
    if (market.states == MOST_STATES) refuse(folder, "more states than this program has room for");
    prior[market.states++] = atof(cells[1]);
  }
  fclose(file);
  double sum = 0.0; /* of probabilities that a table has rounded */
  for (int i = 0; i < market.states; ++i) sum += prior[i];
  for (int i = 0; i < market.states; ++i) prior[i] /= sum;

  file = open_table(folder, "claims.csv", line, cells);
  while (next_row(file, line, cells, 20) > market.states) {
    if (market.claims == MOST_CLAIMS) refuse(folder, "more claims than this program has room for");
    snprintf(names[market.claims], sizeof names[0], "%s", cells[0]);
    for (int i = 0; i < market.states; ++i) payoffs[market.claims * market.states + i] = atof(cells[1 + i]);
    ++market.claims;
  }
  fclose(file);

  file = open_table(folder, "orders.csv", line, cells);
  while (next_row(file, line, cells, 20) > 4) {
    if (orders.count == MOST_ORDERS) refuse(folder, "more orders than this program has room for");
    const int64_t j = orders.count++;
    while (claim[j] < market.claims && strcmp(names[claim[j]], cells[1]) != 0) ++claim[j];
    side[j] = strcmp(cells[2], "buy") == 0 ? 1 : -1;
    price[j] = atof(cells[3]);
    quantity[j] = atof(cells[4]);
  }
  fclose(file);

  /* From here on nothing is allocated where the library can do without: within these limits. */
  const kpm_limits limits = {.struct_size = sizeof limits, .states = market.states,
                             .claims = market.claims, .orders = orders.count, .nodes = 1000};
  const size_t size = kpm_engine_size(&limits);
  kpm_engine *engine = NULL;
  void *const memory = malloc(size);
  int32_t code = kpm_engine_init(memory, size, &limits, &market, &engine);
  if (code == KPM_UNSUPPORTED) code = kpm_engine_create(&market, orders.count, &engine);
  if (code != KPM_OK) return failed();
  for (int64_t j = 0; j < orders.count; ++j) {
    if (kpm_engine_add(engine, j, claim[j], side[j], price[j], quantity[j]) != KPM_OK) return failed();
  }

  kpm_result result = {.struct_size = sizeof result};
  result.fills = fills;
  static double microseconds[EVENTS / BATCH];
  uint64_t random = 1;
  double in_events = 0.0;
  const double start = now();
  for (int batch = 0; batch < EVENTS / BATCH; ++batch) {
    const double before = now();
    for (int event = 0; event < BATCH; ++event) {
      /* An order is cancelled, comes back with some of its quantity, or moves by a tick. */
      random = random * 6364136223846793005u + 1442695040888963407u;
      const int64_t j = (int64_t)((random >> 33) % (uint64_t)orders.count);
      const double some = quantity[j] * (double)(1 + (random >> 60)) / 16.0;
      if (kpm_engine_order(engine, j, NULL, NULL, NULL, NULL) != KPM_OK) {
        code = kpm_engine_add(engine, j, claim[j], side[j], price[j], some);
      } else if ((random >> 59 & 1) == 0) {
        code = kpm_engine_cancel(engine, j);
      } else {
        code = kpm_engine_replace(engine, j, price[j] + 0.01 * ((double)(random >> 62) - 1.0), some);
      }
      if (code != KPM_OK) return failed();
    }
    const double between = now();
    if (kpm_engine_clear(engine, NULL, &result) != KPM_OK) return failed();
    microseconds[batch] = 1e6 * (now() - between);
    in_events += between - before;
  }
  const double seconds = now() - start;
  enum { CLEARINGS = EVENTS / BATCH };
  qsort(microseconds, CLEARINGS, sizeof microseconds[0], by_size);
  printf("C: %d events, %.0f a second with their clearings, %.0f ns each alone\n", EVENTS, EVENTS / seconds,
         1e9 * in_events / EVENTS);
  printf("a clearing of at most %d orders takes %.1f us (p50), %.1f (p99), %.1f (p99.9)\n", (int)orders.count,
         microseconds[CLEARINGS / 2], microseconds[CLEARINGS * 99 / 100], microseconds[CLEARINGS * 999 / 1000]);
  printf("the maker is worth %.6f, at most %.6f\n", result.certainty_equivalent, result.upper_bound);
  /* The same book with everybody at the maker's marginal prices: docs/mechanisms.md. */
  kpm_settings competitive;
  kpm_settings_init(&competitive, sizeof competitive);
  competitive.rule = KPM_COMPETITIVE;
  if (kpm_engine_clear(engine, &competitive, &result) != KPM_OK) return failed();
  printf("competitive: the maker is worth %.6f\n", result.certainty_equivalent);
  kpm_engine_free(engine);
  free(memory);
  return 0;
}
