/* Calls of kpm.h, timed where they are made: compiled and loaded by embedding.py. */
#define _GNU_SOURCE
#include <kpm/kpm.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static double calls_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* -- one book, again and again -------------------------------------------------------------------- */

typedef struct calls_book {
  kpm_market market;
  kpm_orders orders;
  kpm_settings settings;
  kpm_result result;
  kpm_engine *engine;
  int64_t turn;
} calls_book;

void calls_book_free(calls_book *book) {
  if (book == NULL) return;
  kpm_engine_free(book->engine);
  free(book->result.fills);
  free(book->result.claim_prices);
  free(book->result.state_prices);
  free(book->result.net_demand);
  free(book->result.payoff);
  free(book);
}

static double *doubles(int64_t count) { return malloc(sizeof(double) * (size_t)(count + 1)); }

/* A book whose arrays stay the caller's, and an engine that has it. Null, and
 * kpm_last_error(), where something is refused. */
calls_book *calls_book_of(int32_t states, int32_t claims, const double *payoffs, const double *prior,
                          const double *inventory, double risk_aversion, double ambiguity, int64_t count,
                          const int64_t *claim, const int8_t *side, const double *price, const double *quantity,
                          double tolerance) {
  calls_book *book = calloc(1, sizeof *book);
  const kpm_market market = {sizeof market, states, claims, payoffs, prior, inventory, risk_aversion, ambiguity, NULL};
  const kpm_orders orders = {sizeof orders, count, claim, side, price, quantity, NULL};
  book->market = market;
  book->orders = orders;
  kpm_settings_init(&book->settings, sizeof book->settings);
  book->settings.tolerance = tolerance;
  book->result.struct_size = sizeof book->result;
  book->result.fills = doubles(count);
  book->result.claim_prices = doubles(claims);
  book->result.net_demand = doubles(claims);
  book->result.state_prices = doubles(states);
  book->result.payoff = doubles(states);
  int32_t code = kpm_engine_create(&market, count, &book->engine);
  for (int64_t j = 0; j < count && code == KPM_OK; ++j) {
    code = kpm_engine_add(book->engine, j, claim[j], side[j], price[j], quantity[j]);
  }
  if (code == KPM_OK) return book;
  calls_book_free(book);
  return NULL;
}

double calls_value(const calls_book *book) { return book->result.certainty_equivalent; }

/* Seconds of a clearing of the book from nothing; negative where it fails. */
double calls_cold(calls_book *book) {
  const double start = calls_now();
  const int32_t code = kpm_clear(&book->market, &book->orders, &book->settings, &book->result);
  return code == KPM_OK ? calls_now() - start : -1.0;
}

/* Seconds of the same within a limit; infinite where the limit did not strike. */
double calls_limited(calls_book *book, double limit) {
  kpm_settings settings = book->settings;
  settings.time_limit = limit;
  const double start = calls_now();
  const int32_t code = kpm_clear(&book->market, &book->orders, &settings, &book->result);
  const double seconds = calls_now() - start;
  return code != KPM_OK ? -1.0 : book->result.status == KPM_TIME_LIMIT ? seconds : HUGE_VAL;
}

/* Seconds of an event and of the clearing after it. Every second time the event undoes the one
 * before: an order loses a tenth of its quantity and has it again. */
double calls_engine(calls_book *book) {
  const int64_t j = book->turn / 2 % book->orders.count;
  const double share = book->turn++ % 2 == 0 ? 0.9 : 1.0;
  const double start = calls_now();
  const int32_t event = kpm_engine_replace(book->engine, j, book->orders.price[j], share * book->orders.quantity[j]);
  const int32_t code = kpm_engine_clear(book->engine, &book->settings, &book->result);
  return event == KPM_OK && code == KPM_OK ? calls_now() - start : -1.0;
}

/* The same where the engine forgets the last clearing first. */
double calls_engine_cold(calls_book *book) {
  book->settings.cold = 1;
  const double seconds = calls_engine(book);
  book->settings.cold = 0;
  return seconds;
}

/* Clearings of the engine that needed no search. */
double calls_warm(const calls_book *book) { return (double)kpm_engine_warm_clearings(book->engine); }

/* -- events in a large book ------------------------------------------------------------------------ */

static uint64_t state = 1;
static uint64_t draw(uint64_t count) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % count;
}

/* Seconds of each of `events` events of a kind, [3][events]: an order that is drawn among all is
 * cancelled, another comes, and a third gets another limit. `ticks`: limits of a claim. Returns the
 * seconds of all of them with the drawing, or what is negative where an event was refused. */
double calls_events(int32_t claims, int64_t count, int64_t ticks, int32_t large_pages, int64_t events,
                    double *seconds) {
  double *payoffs = calloc((size_t)claims * (size_t)claims, sizeof(double));
  double *prior = malloc(sizeof(double) * (size_t)claims);
  double *inventory = calloc((size_t)claims, sizeof(double));
  int64_t *ids = malloc(sizeof(int64_t) * (size_t)count);
  for (int32_t k = 0; k < claims; ++k) {
    payoffs[k * claims + k] = 1.0;
    prior[k] = 1.0 / claims;
  }
  const kpm_market market = {sizeof market, claims, claims, payoffs, prior, inventory, 0.01, 0.05, NULL};
  const kpm_limits limits = {sizeof limits, claims, claims, count, claims * (ticks + 1), 0, 0};
  const size_t page = (size_t)1 << 21;
  const size_t size = (kpm_engine_size(&limits) + page - 1) / page * page;
  char *const mapped = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *const memory = mapped + (page - (uintptr_t)mapped % page) % page;
  madvise(memory, size, large_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  memset(memory, 0, size);
  kpm_engine *engine = NULL;
  int32_t code = kpm_engine_init(memory, size, &limits, &market, &engine);
#define LIMIT() ((double)(1 + draw((uint64_t)ticks)) / (double)(ticks + 1))
#define SHARES() ((double)(1 + draw(100)))
#define NEW(id) \
  kpm_engine_add(engine, id, (int64_t)draw((uint64_t)claims), draw(2) == 0 ? 1 : -1, LIMIT(), SHARES())
  for (int64_t j = 0; j < count && code == KPM_OK; ++j) code = NEW(ids[j] = j);
  int64_t next = count;
  const double begin = calls_now();
  for (int64_t event = 0; event < events && code == KPM_OK; ++event) {
    const uint64_t leaving = draw((uint64_t)count);
    const uint64_t moving = draw((uint64_t)count);
    const int64_t claim = (int64_t)draw((uint64_t)claims);
    const int32_t side = draw(2) == 0 ? 1 : -1;
    const double price = LIMIT(), other = LIMIT(), quantity = SHARES(), more = SHARES();
    const int64_t gone = ids[leaving];
    ids[leaving] = next++;
    const int64_t came = ids[leaving], moved = ids[moving];
    double times[4];
    times[0] = calls_now();
    code = kpm_engine_cancel(engine, gone);
    times[1] = calls_now();
    code = code == KPM_OK ? kpm_engine_add(engine, came, claim, side, price, quantity) : code;
    times[2] = calls_now();
    code = code == KPM_OK ? kpm_engine_replace(engine, moved, other, more) : code;
    times[3] = calls_now();
    for (int kind = 0; kind < 3; ++kind) seconds[kind * events + event] = times[kind + 1] - times[kind];
  }
  const double all = calls_now() - begin;
  munmap(mapped, size + page);
  free(payoffs);
  free(prior);
  free(inventory);
  free(ids);
  return code == KPM_OK ? all : -1.0;
}
