# kpm.h for Cython: `from kpm_fast.kpm cimport kpm_clear`, with kpm_fast.get_include() and -lkpm.
# Declarations only; nothing of it is a module. docs/embedding.md has an example.
from libc.stddef cimport size_t
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint64_t

cdef extern from "kpm/kpm.h" nogil:
    enum:
        KPM_ABI_VERSION

    enum kpm_code:
        KPM_OK
        KPM_INVALID_INPUT
        KPM_OUT_OF_MEMORY
        KPM_SYSTEM_ERROR
        KPM_INTERNAL_ERROR
        KPM_UNSUPPORTED

    enum kpm_status:
        KPM_OPTIMAL
        KPM_TIME_LIMIT
        KPM_NODE_LIMIT
        KPM_INTERRUPTED
        KPM_INACCURATE

    enum kpm_allocation:
        KPM_PRO_RATA
        KPM_TIME

    enum kpm_rule:
        KPM_MAKER_OPTIMAL
        KPM_COMPETITIVE
        KPM_PAY_AS_BID
        KPM_PDCA

    enum kpm_maker_kind:
        KPM_KNIGHTIAN
        KPM_STARTING_ORDERS
        KPM_WORST_STATE
        KPM_POLYTOPE
        KPM_LOG_UTILITY
        KPM_QUADRATIC

    enum:
        KPM_FIGURE_CERTAINTY_EQUIVALENT
        KPM_FIGURE_NO_TRADE_EQUIVALENT
        KPM_FIGURE_UPPER_BOUND
        KPM_FIGURE_REVENUE
        KPM_FIGURE_SCALE
        KPM_FIGURE_AMBIGUITY_PRICE
        KPM_FIGURE_SECONDS
        KPM_FIGURE_NODES
        KPM_FIGURE_STATUS
        KPM_FIGURES

    enum:
        KPM_FIGURE_OBJECTIVE
        KPM_RULE_FIGURES

    struct kpm_maker:
        size_t struct_size
        int32_t kind
        int32_t states
        const double *prior
        const double *delta
        const double *priors
        int64_t prior_count
        double risk_aversion
        double ambiguity
        double wealth
        double curvature

    struct kpm_market:
        size_t struct_size
        int32_t states
        int32_t claims
        const double *payoffs
        const double *prior
        const double *inventory
        double risk_aversion
        double ambiguity
        const kpm_maker *maker

    struct kpm_orders:
        size_t struct_size
        int64_t count
        const int64_t *claim
        const int8_t *side
        const double *price
        const double *quantity
        const double *time

    struct kpm_settings:
        size_t struct_size
        double tolerance
        double time_limit
        int64_t node_limit
        int32_t threads
        int32_t allocation
        const int32_t *stop  # volatile
        int64_t cold
        int32_t rule

    struct kpm_result:
        size_t struct_size
        double *state_prices
        double *claim_prices
        double *net_demand
        double *fills
        double *payoff
        double *worst_case
        double *marginal_state_prices
        double *multipliers
        int64_t *cell
        double certainty_equivalent
        double no_trade_equivalent
        double upper_bound
        double revenue
        double scale
        double ambiguity_price
        double seconds
        int64_t nodes
        int32_t status
        int32_t threads
        double objective

    struct kpm_trade:
        size_t struct_size
        double quantity
        double cost
        double first_price
        double last_price

    struct kpm_error:
        size_t struct_size
        int32_t code
        const char *field
        int64_t index
        int64_t state
        double value
        char message[200]

    ctypedef struct kpm_engine:
        pass

    struct kpm_limits:
        size_t struct_size
        int32_t states
        int32_t claims
        int64_t orders
        int64_t levels
        int64_t nodes
        int64_t priors

    int32_t kpm_abi_version()
    const char *kpm_version()
    int32_t kpm_last_error(kpm_error *error)
    void kpm_settings_init(kpm_settings *settings, size_t struct_size)
    int32_t kpm_clear(const kpm_market *market, const kpm_orders *orders,
                      const kpm_settings *settings, kpm_result *result)
    int32_t kpm_cost(const kpm_maker *maker, const double *losses, int64_t rows, double *costs)
    int32_t kpm_state_prices(const kpm_maker *maker, const double *losses, int64_t rows,
                             double *prices)
    int32_t kpm_quote(const kpm_maker *maker, const double *losses, const double *payoffs,
                      int64_t claims, const double *quantities, int64_t sizes,
                      double *bid, double *ask)
    int32_t kpm_fill(const kpm_maker *maker, const double *losses, const double *payoff,
                     int32_t side, double limit, double quantity, kpm_trade *trade)

    int32_t kpm_engine_create(const kpm_market *market, int64_t orders, kpm_engine **engine)
    size_t kpm_engine_size(const kpm_limits *limits)
    int32_t kpm_engine_init(void *memory, size_t size, const kpm_limits *limits,
                            const kpm_market *market, kpm_engine **engine)
    void kpm_engine_free(kpm_engine *engine)
    int32_t kpm_engine_add(kpm_engine *engine, int64_t id, int64_t claim, int32_t side,
                           double price, double quantity)
    int32_t kpm_engine_cancel(kpm_engine *engine, int64_t id)
    int32_t kpm_engine_reduce(kpm_engine *engine, int64_t id, double quantity)
    int32_t kpm_engine_replace(kpm_engine *engine, int64_t id, double price, double quantity)
    int32_t kpm_engine_cancel_all(kpm_engine *engine)
    int32_t kpm_engine_set_market(kpm_engine *engine, const kpm_market *market)
    int32_t kpm_engine_set_maker(kpm_engine *engine, const kpm_maker *maker,
                                 const double *inventory)
    int32_t kpm_engine_clear(kpm_engine *engine, const kpm_settings *settings, kpm_result *result)
    int32_t kpm_engine_indicative(kpm_engine *engine, const kpm_settings *settings,
                                  kpm_result *result)
    int32_t kpm_engine_quote(kpm_engine *engine, const double *quantities, int64_t sizes,
                             double *bid, double *ask)
    int32_t kpm_engine_forget(kpm_engine *engine)
    int64_t kpm_engine_warm_clearings(const kpm_engine *engine)
    int64_t kpm_engine_order_count(const kpm_engine *engine)
    int32_t kpm_engine_orders(kpm_engine *engine, int64_t *id, int64_t *claim, int8_t *side,
                              double *price, double *quantity)
    int32_t kpm_engine_order(kpm_engine *engine, int64_t id, int64_t *claim, int8_t *side,
                             double *price, double *quantity)
    size_t kpm_engine_snapshot_size(const kpm_engine *engine)
    int32_t kpm_engine_snapshot(kpm_engine *engine, uint8_t *bytes, size_t size)
    int32_t kpm_engine_restore(kpm_engine *engine, const uint8_t *bytes, size_t size)
    uint64_t kpm_engine_state_hash(kpm_engine *engine)
