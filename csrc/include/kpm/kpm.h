/* The C interface of kpm: call auctions of contingent claims, cleared for a market maker who fears
 * that its probabilities are wrong. C99; nothing in it knows C++ or Python. docs/embedding.md has a
 * first clearing, the rules for threads and memory, and what may change between versions.
 *
 * Every function that can fail returns KPM_OK or another kpm_code, and never throws, aborts or
 * prints. kpm_last_error() says what went wrong: field, index and value. Invalid input is refused
 * before any work, by the rules that the Python package applies.
 *
 * Structs begin with `struct_size`, which the caller sets to sizeof of the struct it was compiled
 * with: later versions add members at the end, and the library takes those that a caller does not
 * know as zero. Arrays belong to the caller, are read or written only during the call, and hold
 * doubles in row-major order. */
#ifndef KPM_KPM_H
#define KPM_KPM_H

#include <stddef.h>
#include <stdint.h>

#if defined(KPM_STATIC)
#define KPM_API
#elif defined(_WIN32) && defined(KPM_BUILDING)
#define KPM_API __declspec(dllexport)
#elif defined(_WIN32)
#define KPM_API __declspec(dllimport)
#else
#define KPM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised only when a program compiled against an older header would no longer run. */
#define KPM_ABI_VERSION 1

/* -- codes ------------------------------------------------------------------------------------ */

/* What a function returns. */
typedef enum kpm_code {
  KPM_OK = 0,
  KPM_INVALID_INPUT = 1,  /* kpm_last_error() names the field, the index and the value */
  KPM_OUT_OF_MEMORY = 2,  /* nothing was changed */
  KPM_SYSTEM_ERROR = 3,   /* a thread could not be started; does not occur with one thread */
  KPM_INTERNAL_ERROR = 4, /* a fault of this library: please report it */
  KPM_UNSUPPORTED = 5     /* not by this build of the library */
} kpm_code;

/* How a clearing ended. */
typedef enum kpm_status {
  KPM_OPTIMAL = 0,     /* proven: the gap is within the tolerance */
  KPM_TIME_LIMIT = 1,  /* the best clearing found, and a bound: see docs/reference.md, "Stopping a
                          clearing" */
  KPM_NODE_LIMIT = 2,  /* likewise */
  KPM_INTERRUPTED = 3, /* likewise: *settings.stop was not zero */
  KPM_INACCURATE = 4   /* likewise: rounding kept the gap above the tolerance, or the state prices
                          nearest to the prior could not be found to the last digit */
} kpm_status;

/* How orders of one claim, side and limit share the volume at the clearing price. */
typedef enum kpm_allocation {
  KPM_PRO_RATA = 0, /* in proportion to quantity */
  KPM_TIME = 1      /* by orders.time; at equal times, or without times, in book order */
} kpm_allocation;

/* Who sets the prices (docs/mechanisms.md). The convex rules, all but the first, are for every
 * maker, unless they say otherwise. */
typedef enum kpm_rule {
  KPM_MAKER_OPTIMAL = 0, /* what is best for the maker, equation (8) of Roh and Ye (2015); for the
                            Knightian one */
  KPM_COMPETITIVE = 1,   /* everybody trades at the maker's marginal state prices */
  KPM_PAY_AS_BID = 2,    /* the same fills, and every order pays its limit */
  KPM_PDCA = 3           /* competitive, with the greatest payout; for starting orders */
} kpm_rule;

/* -- makers ----------------------------------------------------------------------------------- */

/* The makers of the family. A maker has a convex, increasing cost C(L) of owing the money L[i] in
 * state i, and C(L + m) = C(L) + m. An amount in nats bounds a Kullback-Leibler divergence KL,
 * which is taken with natural logarithms. LMSR with liquidity b is KPM_KNIGHTIAN with risk_aversion
 * = 1/b and ambiguity = 0. */
typedef enum kpm_maker_kind {
  KPM_KNIGHTIAN = 0,       /* (1/alpha) ln max E_p e^(alpha L) over KL(p|prior) <= ambiguity */
  KPM_STARTING_ORDERS = 1, /* min over t of t - sum delta ln(t - L) */
  KPM_WORST_STATE = 2,     /* max L */
  KPM_POLYTOPE = 3,        /* (1/alpha) ln max E_p e^(alpha L) over the rows of `priors` */
  KPM_LOG_UTILITY = 4,     /* the C with sum prior ln(wealth + C - L) = ln wealth */
  KPM_QUADRATIC = 5        /* max over g of g.L - curvature |g - prior|^2 */
} kpm_maker_kind;

/* Only the members that its kind names are read: the arrays among them may not be null. */
typedef struct kpm_maker {
  size_t struct_size;
  int32_t kind;         /* a kpm_maker_kind */
  int32_t states;       /* N >= 1 */
  const double* prior;  /* [N] >= 1e-200, sums to one: Knightian, log utility, quadratic */
  const double* delta;  /* [N] money, 1e-30 to 1e30: starting orders */
  const double* priors; /* [prior_count][N], rows sum to one: polytope */
  int64_t prior_count;  /* >= 1 */
  double risk_aversion; /* per unit of money, 1e-30 to 1e30, the polytope's also 0 */
  double ambiguity;     /* nats, 0 to infinity: Knightian */
  double wealth;        /* money, 1e-30 to 1e30: log utility */
  double curvature;     /* money, 1e-30 to 1e30: quadratic */
} kpm_maker;

/* -- a book and its clearing ------------------------------------------------------------------ */

/* N states, K claims and the maker's preferences. */
typedef struct kpm_market {
  size_t struct_size;
  int32_t states;          /* N >= 1 */
  int32_t claims;          /* K >= 1 */
  const double* payoffs;   /* [K][N] money per share, not null */
  const double* prior;     /* [N] >= 1e-200, sums to one within 1e-9; may be null if maker is set */
  const double* inventory; /* [N] the maker's wealth, money, not null */
  double risk_aversion;    /* alpha per unit of money, 1e-30 to 1e30 */
  double ambiguity;        /* Omega in nats, 0 to infinity */
  /* [null] A maker of as many states, whose numbers are read instead of the market's prior, risk
   * aversion and ambiguity. Null: the Knightian maker of these. */
  const kpm_maker* maker;
} kpm_market;

/* J limit orders. The arrays, `time` apart, may be null only if J is 0. */
typedef struct kpm_orders {
  size_t struct_size;
  int64_t count;          /* J >= 0 */
  const int64_t* claim;   /* [J] 0 .. K - 1 */
  const int8_t* side;     /* [J] +1 buy, -1 sell */
  const double* price;    /* [J] limit, money per share; an infinity is a market order */
  const double* quantity; /* [J] shares, 0 or 1e-30 to 1e30 */
  const double* time;     /* [J] priority for KPM_TIME, or null */
} kpm_orders;

/* How to clear. kpm_settings_init() gives the defaults in brackets. */
typedef struct kpm_settings {
  size_t struct_size;
  double tolerance;   /* [1e-8] gap to prove relative to kpm_result.scale, between 0 and 1 */
  double time_limit;  /* [infinity] seconds >= 0; there is a clearing in any case */
  int64_t node_limit; /* [0] nodes of the tree; 0: no limit */
  int32_t threads;    /* [1] 1 to 1024, or 0: the processors that this process may use and no
                         other clearing works on. The answer is the same bits for any number */
  int32_t allocation; /* [KPM_PRO_RATA] a kpm_allocation */
  /* [null] The clearing stops soon after this is not zero, as with time_limit 0 if it is before;
   * another thread or a signal handler may set it meanwhile. */
  const volatile int32_t* stop;
  /* [0] 1: an engine forgets its last clearing first, and searches. It changes the time that a
   * clearing takes, never its bits. */
  int64_t cold;
  int32_t rule;     /* [KPM_MAKER_OPTIMAL] a kpm_rule that the market's maker has. The convex rules
                       need no search: they refuse a node limit */
  int32_t reserved; /* zero */
} kpm_settings;

/* A clearing. The convex rules bound `objective`, and their multipliers and nodes are zero. The
 * caller sets struct_size and the arrays, each of which may be null if it is not wanted. The
 * library sets the rest, and writes anything only if it returns KPM_OK. */
typedef struct kpm_result {
  size_t struct_size;
  double* state_prices;          /* [N] xi */
  double* claim_prices;          /* [K] money per share */
  double* net_demand;            /* [K] shares that the maker sells */
  double* fills;                 /* [J] shares of each order */
  double* payoff;                /* [N] the maker's outcome, money, inventory included */
  double* worst_case;            /* [N] p, the probabilities that the maker fears most */
  double* marginal_state_prices; /* [N] g, the maker's marginal state prices */
  double* multipliers;           /* [K] lambda of the claims' prices */
  int64_t* cell;                 /* [K] the piece of each staircase, from the lowest price */
  double certainty_equivalent;   /* money, of the maker after trading */
  double no_trade_equivalent;    /* money, of the maker without trading */
  double upper_bound;            /* no clearing has a greater objective */
  double revenue;                /* money that the maker receives */
  double scale;                  /* notional that trades, which the tolerance refers to */
  double ambiguity_price;        /* money per nat */
  double seconds;
  int64_t nodes;
  int32_t status;  /* a kpm_status */
  int32_t threads; /* threads used */
  /* Money: what the rule maximises. KPM_MAKER_OPTIMAL: the certainty equivalent; the others: that
   * if every order paid its limit. */
  double objective;
} kpm_result;

/* A single order filled by a maker. */
typedef struct kpm_trade {
  size_t struct_size;
  double quantity;    /* shares filled */
  double cost;        /* money to the maker: C(L + x a) - C(L), where x is the quantity filled, or
                         minus it for a sale, and a the claim's payoff; negative when the trader
                         sells a claim of positive payoff */
  double first_price; /* of the first share */
  double last_price;  /* of the last one; the limit, where that ended the trade */
} kpm_trade;

/* -- errors ----------------------------------------------------------------------------------- */

/* What went wrong. Of an order in an engine that is unknown, or known already, `index` is the id,
 * which a double may not hold, `value` is 0, and `field` is "order_id". */
typedef struct kpm_error {
  size_t struct_size;
  int32_t code;      /* a kpm_code; KPM_OK: nothing */
  int32_t reserved;  /* zero */
  const char* field; /* the member or argument at fault, such as "prior"; "" if none is */
  int64_t index;     /* of the claim, state, order or row, or the id, where field is "order_id";
                        -1: of none */
  int64_t state;     /* second index, of a payoff or of a row of priors; -1: of none */
  double value;      /* the value that was given; 0 where there is none or field is "order_id" */
  char message[200]; /* the error in words, such as "prior[2] must be finite, got nan" */
} kpm_error;

/* -- functions -------------------------------------------------------------------------------- */

/* KPM_ABI_VERSION of the library that runs. */
KPM_API int32_t kpm_abi_version(void);

/* The version of the library that runs, such as "0.2.0". */
KPM_API const char* kpm_version(void);

/* Copies the error of the calling thread's last failed call, which a later success does not clear.
 * Returns its code. Only members within error->struct_size are written: with a struct_size of 0,
 * none, so that a struct of zeros keeps an empty message and a null field. */
KPM_API int32_t kpm_last_error(kpm_error* error);

/* Sets struct_size, and all other settings to their defaults. `struct_size`: sizeof(kpm_settings);
 * one too small to hold itself sets nothing. */
KPM_API void kpm_settings_init(kpm_settings* settings, size_t struct_size);

/* Clears a book by the rule of the settings: with their defaults, to which null amounts, the state
 * prices and fills that are best for a Knightian maker, equation (8) of Roh and Ye (2015). */
KPM_API int32_t kpm_clear(const kpm_market* market, const kpm_orders* orders,
                          const kpm_settings* settings, kpm_result* result);

/* C(L) for each of `rows` rows of losses, what the maker owes in each state: its inventory negated.
 * losses [rows][N], costs [rows]. */
KPM_API int32_t kpm_cost(const kpm_maker* maker, const double* losses, int64_t rows, double* costs);

/* The gradient of C for each row: the maker's marginal value of money in each state. prices
 * [rows][N].
 */
KPM_API int32_t kpm_state_prices(const kpm_maker* maker, const double* losses, int64_t rows,
                                 double* prices);

/* Bids and asks, money per share, of a maker that owes `losses` [N], for claims that pay
 * `payoffs` [claims][N]. For blocks of `quantities` [claims][sizes] shares, bid and ask
 * [claims][sizes]; with sizes of 0, quantities are not read and bid and ask [claims] are those of
 * the next share. */
KPM_API int32_t kpm_quote(const kpm_maker* maker, const double* losses, const double* payoffs,
                          int64_t claims, const double* quantities, int64_t sizes, double* bid,
                          double* ask);

/* Fills one order for a claim that pays `payoff` [N] with a maker that owes `losses` [N]: as many
 * of `quantity` shares as cost at most (fetch at least) `limit` each. Afterwards the maker owes
 * side * trade.quantity * payoff more. */
KPM_API int32_t kpm_fill(const kpm_maker* maker, const double* losses, const double* payoff,
                         int32_t side, double limit, double quantity, kpm_trade* trade);

/* -- an engine that keeps its book ----------------------------------------------------------------
 * Orders are added, changed and cancelled by the ids that the caller gives them, and have priority
 * by arrival. On request the engine clears the book in its current state, without changing it: the
 * bits are those of kpm_clear() for kpm_engine_orders(), whatever happened before (docs/engine.md).
 *
 * An engine serves one thread at a time; engines share nothing. A call that returns a code other
 * than KPM_OK has changed nothing. A freed engine may not be used; a null one is refused, except
 * where a function says otherwise. */

typedef struct kpm_engine kpm_engine;

/* The capacity of an engine in its caller's memory. */
typedef struct kpm_limits {
  size_t struct_size;
  int32_t states; /* at most N of its markets, 1 to 1e6 */
  int32_t claims; /* K of its markets, exactly, 1 to 1e6 */
  int64_t orders; /* at a time, 0 to 1e9 */
  int64_t levels; /* at a time: pairs of claim and limit; 0: as many as orders */
  int64_t nodes;  /* of a clearing's tree, 1 to 1e9; 0: 1000 */
  int64_t priors; /* rows of a polytope maker's, 0 to 1e6; 0: no such maker */
} kpm_limits;

/* An engine for a market, which is copied; it grows as needed. `orders`: initial capacity, within
 * which no event allocates. kpm_engine_free() frees it. */
KPM_API int32_t kpm_engine_create(const kpm_market* market, int64_t orders, kpm_engine** engine);

/* The bytes that kpm_engine_init() needs for these limits; 0, and kpm_last_error(), if one of them
 * is out of range. */
KPM_API size_t kpm_engine_size(const kpm_limits* limits);

/* An engine in `size` bytes of the caller's memory, of any alignment, which must stay valid until
 * kpm_engine_free(), or for as long as the engine is used. From then on its calls allocate nothing,
 * take no lock and make no system call other than reading the clock, for kpm_settings.time_limit
 * and kpm_result.seconds. Orders and levels beyond the limits are refused; a clearing whose tree
 * needs more nodes or memory than the limits allow ends with KPM_NODE_LIMIT, its best clearing and
 * a bound. A clearing works on one thread, whatever the settings say.
 *
 * KPM_UNSUPPORTED: this build has no allocator of its own. libkpm has one on Linux; a static
 * library has none, since it shares the program's. */
KPM_API int32_t kpm_engine_init(void* memory, size_t size, const kpm_limits* limits,
                                const kpm_market* market, kpm_engine** engine);

/* Frees an engine; the memory of kpm_engine_init() returns to its caller. Null is ignored. */
KPM_API void kpm_engine_free(kpm_engine* engine);

/* An order at the end of the book. `side`: +1 buy, -1 sell. An id that is in the book is refused.
 */
KPM_API int32_t kpm_engine_add(kpm_engine* engine, int64_t id, int64_t claim, int32_t side,
                               double price, double quantity);
KPM_API int32_t kpm_engine_cancel(kpm_engine* engine, int64_t id);
/* Reduces an order to `quantity`, at most its present one; its priority is kept. An order reduced
 * to zero stays in the book until it is cancelled. */
KPM_API int32_t kpm_engine_reduce(kpm_engine* engine, int64_t id, double quantity);
/* Changes limit and quantity. The order moves to the end of the book, unless its limit is unchanged
 * and its quantity does not increase. */
KPM_API int32_t kpm_engine_replace(kpm_engine* engine, int64_t id, double price, double quantity);
KPM_API int32_t kpm_engine_cancel_all(kpm_engine* engine);

/* Another market with as many claims, such as the same claims with another maker. Copied. */
KPM_API int32_t kpm_engine_set_market(kpm_engine* engine, const kpm_market* market);

/* Another maker of the same market, of any kind, and its inventory [N]; null: as before. Copied. */
KPM_API int32_t kpm_engine_set_maker(kpm_engine* engine, const kpm_maker* maker,
                                     const double* inventory);

/* Clears the book in its current state, by the rule of the settings. result->fills
 * [kpm_engine_order_count()] are in order of priority, as kpm_engine_orders() lists them. By
 * default orders at the clearing price share pro rata; KPM_TIME fills in order of priority.
 * Settings of null are the defaults. */
KPM_API int32_t kpm_engine_clear(kpm_engine* engine, const kpm_settings* settings,
                                 kpm_result* result);

/* The same without fills, and without the pass over the orders that they take: result->fills is not
 * written. */
KPM_API int32_t kpm_engine_indicative(kpm_engine* engine, const kpm_settings* settings,
                                      kpm_result* result);

/* Bids and asks for the market's claims, as kpm_quote(), of the maker with its inventory: those of
 * the market given at creation, until kpm_engine_set_maker() or kpm_engine_set_market() changes
 * them. */
KPM_API int32_t kpm_engine_quote(kpm_engine* engine, const double* quantities, int64_t sizes,
                                 double* bid, double* ask);

/* Forgets the last clearing: the next one is searched, as with kpm_settings.cold. */
KPM_API int32_t kpm_engine_forget(kpm_engine* engine);

/* How many clearings the one before has spared a search; 0 for null. The convex rules need none,
 * and start from nothing. */
KPM_API int64_t kpm_engine_warm_clearings(const kpm_engine* engine);

/* How many orders are in the book; 0 for null. */
KPM_API int64_t kpm_engine_order_count(const kpm_engine* engine);

/* The book by priority, [kpm_engine_order_count()] each; an array may be null. */
KPM_API int32_t kpm_engine_orders(kpm_engine* engine, int64_t* id, int64_t* claim, int8_t* side,
                                  double* price, double* quantity);

/* One order; outputs that are not needed may be null. */
KPM_API int32_t kpm_engine_order(kpm_engine* engine, int64_t id, int64_t* claim, int8_t* side,
                                 double* price, double* quantity);

/* The size of a snapshot of the current book, in bytes; 0 for null. */
KPM_API size_t kpm_engine_snapshot_size(const kpm_engine* engine);

/* The orders by priority, not the market, in a format that is the same on every machine. `size`: at
 * least kpm_engine_snapshot_size(). */
KPM_API int32_t kpm_engine_snapshot(kpm_engine* engine, uint8_t* bytes, size_t size);

/* Replaces this book by that of a snapshot. `size`: that of the snapshot. */
KPM_API int32_t kpm_engine_restore(kpm_engine* engine, const uint8_t* bytes, size_t size);

/* A hash of the market and of the orders by priority: of everything that a clearing depends on, and
 * of nothing else. 0 for null. */
KPM_API uint64_t kpm_engine_state_hash(kpm_engine* engine);

/* -- the same without structs, for callers that cannot make any (Numba) ---------------------------
 * Each struct is replaced by its members in their order, without struct_size and members that only
 * one kind of maker needs. */

/* Where kpm_clear_flat() puts the numbers of a result. */
enum {
  KPM_FIGURE_CERTAINTY_EQUIVALENT = 0,
  KPM_FIGURE_NO_TRADE_EQUIVALENT = 1,
  KPM_FIGURE_UPPER_BOUND = 2,
  KPM_FIGURE_REVENUE = 3,
  KPM_FIGURE_SCALE = 4,
  KPM_FIGURE_AMBIGUITY_PRICE = 5,
  KPM_FIGURE_SECONDS = 6,
  KPM_FIGURE_NODES = 7,
  KPM_FIGURE_STATUS = 8,
  KPM_FIGURES = 9
};

KPM_API int32_t kpm_clear_flat(int32_t states, int32_t claims, const double* payoffs,
                               const double* prior, const double* inventory, double risk_aversion,
                               double ambiguity, int64_t count, const int64_t* claim,
                               const int8_t* side, const double* price, const double* quantity,
                               const double* time, double tolerance, double time_limit,
                               int64_t node_limit, int32_t threads, int32_t allocation,
                               const volatile int32_t* stop, double* state_prices,
                               double* claim_prices, double* net_demand, double* fills,
                               double* payoff, double* figures);

/* `weights`: the prior, delta or priors, whichever the kind has. `parameter`: wealth or curvature.
 */
KPM_API int32_t kpm_quote_flat(int32_t kind, int32_t states, const double* weights,
                               int64_t prior_count, double risk_aversion, double ambiguity,
                               double parameter, const double* losses, const double* payoffs,
                               int64_t claims, const double* quantities, int64_t sizes, double* bid,
                               double* ask);

/* Engines; on failure null is returned, and kpm_last_error() says why. */
KPM_API kpm_engine* kpm_engine_create_flat(int32_t states, int32_t claims, const double* payoffs,
                                           const double* prior, const double* inventory,
                                           double risk_aversion, double ambiguity, int64_t orders);
KPM_API size_t kpm_engine_size_flat(int32_t states, int32_t claims, int64_t orders, int64_t levels,
                                    int64_t nodes);
/* The limits' states and claims are the market's. */
KPM_API kpm_engine* kpm_engine_init_flat(void* memory, size_t size, int64_t orders, int64_t levels,
                                         int64_t nodes, int32_t states, int32_t claims,
                                         const double* payoffs, const double* prior,
                                         const double* inventory, double risk_aversion,
                                         double ambiguity);
KPM_API int32_t kpm_engine_set_market_flat(kpm_engine* engine, int32_t states, int32_t claims,
                                           const double* payoffs, const double* prior,
                                           const double* inventory, double risk_aversion,
                                           double ambiguity);
/* `fills` of null: an indicative clearing. */
KPM_API int32_t kpm_engine_clear_flat(kpm_engine* engine, double tolerance, double time_limit,
                                      int64_t node_limit, int32_t threads, int32_t allocation,
                                      const volatile int32_t* stop, double* state_prices,
                                      double* claim_prices, double* net_demand, double* fills,
                                      double* payoff, double* figures);

/* The same for any maker and rule. A maker is its `kind`, the states, `weights`, `prior_count`,
 * `risk_aversion`, `ambiguity` and `parameter`, as for kpm_quote_flat(); its inventory follows. The
 * figures are KPM_RULE_FIGURES: those above and the objective. */
enum { KPM_FIGURE_OBJECTIVE = 9, KPM_RULE_FIGURES = 10 };

KPM_API int32_t kpm_clear_by_rule_flat(int32_t kind, int32_t states, const double* weights,
                                       int64_t prior_count, double risk_aversion, double ambiguity,
                                       double parameter, const double* inventory, int32_t claims,
                                       const double* payoffs, int64_t count, const int64_t* claim,
                                       const int8_t* side, const double* price,
                                       const double* quantity, const double* time, int32_t rule,
                                       double tolerance, int32_t allocation, double* state_prices,
                                       double* claim_prices, double* net_demand, double* fills,
                                       double* payoff, double* figures);

KPM_API kpm_engine* kpm_engine_create_maker_flat(int32_t kind, int32_t states,
                                                 const double* weights, int64_t prior_count,
                                                 double risk_aversion, double ambiguity,
                                                 double parameter, const double* inventory,
                                                 int32_t claims, const double* payoffs,
                                                 int64_t orders);
KPM_API size_t kpm_engine_size_maker_flat(int32_t states, int32_t claims, int64_t orders,
                                          int64_t levels, int64_t nodes, int64_t priors);
KPM_API kpm_engine* kpm_engine_init_maker_flat(void* memory, size_t size, int64_t orders,
                                               int64_t levels, int64_t nodes, int64_t priors,
                                               int32_t kind, int32_t states, const double* weights,
                                               int64_t prior_count, double risk_aversion,
                                               double ambiguity, double parameter,
                                               const double* inventory, int32_t claims,
                                               const double* payoffs);
KPM_API int32_t kpm_engine_set_maker_flat(kpm_engine* engine, int32_t kind, int32_t states,
                                          const double* weights, int64_t prior_count,
                                          double risk_aversion, double ambiguity, double parameter,
                                          const double* inventory);
KPM_API int32_t kpm_engine_clear_by_rule_flat(kpm_engine* engine, int32_t rule, double tolerance,
                                              int32_t allocation, double* state_prices,
                                              double* claim_prices, double* net_demand,
                                              double* fills, double* payoff, double* figures);

#ifdef __cplusplus
}
#endif
#endif
