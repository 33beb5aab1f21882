#include "inputs.hpp"

#include <limits>

#include "kpm/validation.hpp"
#include "structs.hpp"

namespace kpm::c {

namespace {

/// A flag that another thread may set while it is read. C99 has no atomics, so the type is
/// volatile; the read is atomic, which thread sanitizers ask for.
bool is_raised(const volatile std::int32_t* flag) {
#if defined(__GNUC__)
  return __atomic_load_n(flag, __ATOMIC_RELAXED) != 0;
#else
  return *flag != 0;
#endif
}

/// Where there is no search there are no nodes.
void refuse_search(const kpm_settings& settings) {
  if (settings.node_limit != 0) {
    throw Refusal("node_limit", "is not available with this rule, which needs no search",
                  static_cast<double>(settings.node_limit));
  }
}

/// `kind` is a kpm_maker_kind, `priors` their number.
MakerModel make_model(std::int64_t kind, std::int32_t states, std::int64_t priors) {
  MakerModel model;
  switch (kind) {
    case KPM_KNIGHTIAN:
      model.kind = MakerKind::kKnightian;
      break;
    case KPM_STARTING_ORDERS:
      model.kind = MakerKind::kStartingOrders;
      break;
    case KPM_WORST_STATE:
      model.kind = MakerKind::kWorstState;
      break;
    case KPM_POLYTOPE:
      model.kind = MakerKind::kPolytope;
      break;
    case KPM_LOG_UTILITY:
      model.kind = MakerKind::kUtility;
      break;
    case KPM_QUADRATIC:
      model.kind = MakerKind::kQuadratic;
      break;
    default:
      throw Refusal("kind", "must be 0 to 5 (kpm_maker_kind)", static_cast<double>(kind));
  }
  model.states = states;
  if (model.kind == MakerKind::kPolytope) {
    if (priors < 1 || priors > std::numeric_limits<int>::max()) {
      throw Refusal("prior_count", "must be between 1 and 2147483647", static_cast<double>(priors));
    }
    model.priors = static_cast<int>(priors);
  }
  return model;
}

}  // namespace

GivenMarket market_of(const kpm_market* given) {
  const kpm_market own = read(given, "market");
  GivenMarket all;
  Market& market = all.market;
  market.states = own.states;
  market.claims = own.claims;
  market.payoffs = own.payoffs;
  market.prior = own.prior;
  market.inventory = own.inventory;
  market.risk_aversion = own.risk_aversion;
  market.ambiguity = own.ambiguity;
  if (own.maker == nullptr) {
    all.maker.states = own.states;
    all.maker.prior = own.prior;
    all.maker.risk_aversion = own.risk_aversion;
    all.maker.ambiguity = own.ambiguity;
    return all;
  }
  all.maker = read_maker(own.maker);
  all.by_itself = true;
  if (all.maker.kind == MakerKind::kKnightian) {
    market.prior = all.maker.prior;
    market.risk_aversion = all.maker.risk_aversion;
    market.ambiguity = all.maker.ambiguity;
  }
  require(validate(market, all.maker));
  return all;
}

Orders orders_of(const kpm_orders* given) {
  const kpm_orders own = read(given, "orders");
  Orders orders;
  orders.count = own.count;
  orders.claim = own.claim;
  orders.side = own.side;
  orders.price = own.price;
  orders.quantity = own.quantity;
  orders.time = own.time;
  return orders;
}

AuctionSettings GivenSettings::auction() const {
  AuctionSettings settings;
  settings.rule = static_cast<ConvexRule>(rule - 1);
  settings.tolerance = search.tolerance;
  settings.time_limit = search.time_limit;
  settings.interrupted = search.interrupted;
  settings.allocation = search.allocation;
  return settings;
}

GivenSettings settings_of(const kpm_settings* given) {
  GivenSettings all;
  ClearSettings& settings = all.search;
  settings.threads = 1;
  if (given == nullptr) {
    return all;
  }
  const kpm_settings own = read(given, "settings");
  if (own.tolerance == 0.0) {  // so are settings of which only the size was set
    throw Refusal("tolerance",
                  "must be between 0 and 1, got 0 (kpm_settings_init() sets the defaults)");
  }
  settings.tolerance = own.tolerance;
  settings.time_limit = own.time_limit;
  settings.node_limit = own.node_limit;
  settings.threads = own.threads;
  switch (own.allocation) {
    case KPM_PRO_RATA:
      settings.allocation = Allocation::kProRata;
      break;
    case KPM_TIME:
      settings.allocation = Allocation::kTime;
      break;
    default:
      throw Refusal("allocation", "must be 0 or 1 (kpm_allocation)", own.allocation);
  }
  if (own.cold != 0 && own.cold != 1) {
    throw Refusal("cold", "must be 0 or 1", static_cast<double>(own.cold));
  }
  if (own.stop != nullptr) {
    settings.interrupted = [stop = own.stop] { return is_raised(stop); };
  }
  require(validate(settings));
  all.cold = own.cold != 0;
  all.rule = own.rule;
  if (own.rule < KPM_MAKER_OPTIMAL || own.rule > KPM_PDCA) {
    throw Refusal("rule", "must be 0 to 3 (kpm_rule)", own.rule);
  }
  if (own.reserved != 0) {
    throw Refusal("reserved", "must be zero", own.reserved);
  }
  if (own.rule != KPM_MAKER_OPTIMAL) {
    refuse_search(own);
  }
  return all;
}

MakerModel read_maker(const kpm_maker* given) {
  const kpm_maker own = read(given, "maker");
  MakerModel model = make_model(own.kind, own.states, own.prior_count);
  model.prior = own.prior;
  model.delta = own.delta;
  model.vertices = own.priors;
  model.risk_aversion = own.risk_aversion;
  model.ambiguity = own.ambiguity;
  model.wealth = own.wealth;
  model.curvature = own.curvature;
  return model;
}

MakerModel maker_of(const kpm_maker* given) {
  const MakerModel model = read_maker(given);
  require(validate(model));
  return model;
}

}  // namespace kpm::c
