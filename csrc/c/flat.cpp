// The functions without structs: they fill in structs of this version.
#include <cstdint>

#include "kpm/kpm.h"

namespace kpm::c {

namespace {

void write_figures(const kpm_result& result, double* figures) {
  figures[KPM_FIGURE_CERTAINTY_EQUIVALENT] = result.certainty_equivalent;
  figures[KPM_FIGURE_NO_TRADE_EQUIVALENT] = result.no_trade_equivalent;
  figures[KPM_FIGURE_UPPER_BOUND] = result.upper_bound;
  figures[KPM_FIGURE_REVENUE] = result.revenue;
  figures[KPM_FIGURE_SCALE] = result.scale;
  figures[KPM_FIGURE_AMBIGUITY_PRICE] = result.ambiguity_price;
  figures[KPM_FIGURE_SECONDS] = result.seconds;
  figures[KPM_FIGURE_NODES] = static_cast<double>(result.nodes);
  figures[KPM_FIGURE_STATUS] = result.status;
}

/// Settings common to all rules; the rest keep their defaults.
kpm_settings settings_from(std::int32_t rule, double tolerance, std::int32_t allocation) {
  kpm_settings settings;
  kpm_settings_init(&settings, sizeof settings);
  settings.rule = rule;
  settings.tolerance = tolerance;
  settings.allocation = allocation;
  return settings;
}

/// Settings of a search.
kpm_settings search_from(double tolerance, double time_limit, std::int64_t node_limit,
                         std::int32_t threads, std::int32_t allocation,
                         const volatile std::int32_t* stop) {
  kpm_settings settings = settings_from(KPM_MAKER_OPTIMAL, tolerance, allocation);
  settings.time_limit = time_limit;
  settings.node_limit = node_limit;
  settings.threads = threads;
  settings.stop = stop;
  return settings;
}

kpm_market knightian_market(std::int32_t states, std::int32_t claims, const double* payoffs,
                            const double* prior, const double* inventory, double risk_aversion,
                            double ambiguity) {
  return {sizeof(kpm_market), states,        claims,    payoffs, prior,
          inventory,          risk_aversion, ambiguity, nullptr};
}

/// `weights` and `parameter`: whichever the kind reads.
kpm_maker maker_from(std::int32_t kind, std::int32_t states, const double* weights,
                     std::int64_t prior_count, double risk_aversion, double ambiguity,
                     double parameter) {
  return {sizeof(kpm_maker), kind,          states,    weights,   weights,  weights,
          prior_count,       risk_aversion, ambiguity, parameter, parameter};
}

kpm_market market_from(const kpm_maker& maker, std::int32_t claims, const double* payoffs,
                       const double* inventory) {
  kpm_market market{};
  market.struct_size = sizeof market;
  market.states = maker.states;
  market.claims = claims;
  market.payoffs = payoffs;
  market.inventory = inventory;
  market.maker = &maker;
  return market;
}

kpm_result result_into(double* state_prices, double* claim_prices, double* net_demand,
                       double* fills, double* payoff) {
  kpm_result result{};
  result.struct_size = sizeof result;
  result.state_prices = state_prices;
  result.claim_prices = claim_prices;
  result.net_demand = net_demand;
  result.fills = fills;
  result.payoff = payoff;
  return result;
}

/// The code of a clearing, after its figures, if it has any.
std::int32_t with_figures(std::int32_t code, const kpm_result& result, double* figures,
                          bool objective) {
  if (code == KPM_OK && figures != nullptr) {
    write_figures(result, figures);
    if (objective) {
      figures[KPM_FIGURE_OBJECTIVE] = result.objective;
    }
  }
  return code;
}

}  // namespace

}  // namespace kpm::c

extern "C" {

std::int32_t kpm_clear_flat(std::int32_t states, std::int32_t claims, const double* payoffs,
                            const double* prior, const double* inventory, double risk_aversion,
                            double ambiguity, std::int64_t count, const std::int64_t* claim,
                            const std::int8_t* side, const double* price, const double* quantity,
                            const double* time, double tolerance, double time_limit,
                            std::int64_t node_limit, std::int32_t threads, std::int32_t allocation,
                            const volatile std::int32_t* stop, double* state_prices,
                            double* claim_prices, double* net_demand, double* fills, double* payoff,
                            double* figures) {
  const kpm_market market =
      kpm::c::knightian_market(states, claims, payoffs, prior, inventory, risk_aversion, ambiguity);
  const kpm_orders orders{sizeof orders, count, claim, side, price, quantity, time};
  const kpm_settings settings =
      kpm::c::search_from(tolerance, time_limit, node_limit, threads, allocation, stop);
  kpm_result result = kpm::c::result_into(state_prices, claim_prices, net_demand, fills, payoff);
  const std::int32_t code = kpm_clear(&market, &orders, &settings, &result);
  return kpm::c::with_figures(code, result, figures, false);
}

std::int32_t kpm_quote_flat(std::int32_t kind, std::int32_t states, const double* weights,
                            std::int64_t prior_count, double risk_aversion, double ambiguity,
                            double parameter, const double* losses, const double* payoffs,
                            std::int64_t claims, const double* quantities, std::int64_t sizes,
                            double* bid, double* ask) {
  const kpm_maker maker =
      kpm::c::maker_from(kind, states, weights, prior_count, risk_aversion, ambiguity, parameter);
  return kpm_quote(&maker, losses, payoffs, claims, quantities, sizes, bid, ask);
}

kpm_engine* kpm_engine_create_flat(std::int32_t states, std::int32_t claims, const double* payoffs,
                                   const double* prior, const double* inventory,
                                   double risk_aversion, double ambiguity, std::int64_t orders) {
  const kpm_market market =
      kpm::c::knightian_market(states, claims, payoffs, prior, inventory, risk_aversion, ambiguity);
  kpm_engine* engine = nullptr;
  kpm_engine_create(&market, orders, &engine);
  return engine;
}

std::size_t kpm_engine_size_flat(std::int32_t states, std::int32_t claims, std::int64_t orders,
                                 std::int64_t levels, std::int64_t nodes) {
  const kpm_limits limits{sizeof limits, states, claims, orders, levels, nodes, 0};
  return kpm_engine_size(&limits);
}

kpm_engine* kpm_engine_init_flat(void* memory, std::size_t size, std::int64_t orders,
                                 std::int64_t levels, std::int64_t nodes, std::int32_t states,
                                 std::int32_t claims, const double* payoffs, const double* prior,
                                 const double* inventory, double risk_aversion, double ambiguity) {
  const kpm_limits limits{sizeof limits, states, claims, orders, levels, nodes, 0};
  const kpm_market market =
      kpm::c::knightian_market(states, claims, payoffs, prior, inventory, risk_aversion, ambiguity);
  kpm_engine* engine = nullptr;
  kpm_engine_init(memory, size, &limits, &market, &engine);
  return engine;
}

std::int32_t kpm_engine_set_market_flat(kpm_engine* engine, std::int32_t states,
                                        std::int32_t claims, const double* payoffs,
                                        const double* prior, const double* inventory,
                                        double risk_aversion, double ambiguity) {
  const kpm_market market =
      kpm::c::knightian_market(states, claims, payoffs, prior, inventory, risk_aversion, ambiguity);
  return kpm_engine_set_market(engine, &market);
}

std::int32_t kpm_engine_clear_flat(kpm_engine* engine, double tolerance, double time_limit,
                                   std::int64_t node_limit, std::int32_t threads,
                                   std::int32_t allocation, const volatile std::int32_t* stop,
                                   double* state_prices, double* claim_prices, double* net_demand,
                                   double* fills, double* payoff, double* figures) {
  const kpm_settings settings =
      kpm::c::search_from(tolerance, time_limit, node_limit, threads, allocation, stop);
  kpm_result result = kpm::c::result_into(state_prices, claim_prices, net_demand, fills, payoff);
  const std::int32_t code = fills != nullptr ? kpm_engine_clear(engine, &settings, &result)
                                             : kpm_engine_indicative(engine, &settings, &result);
  return kpm::c::with_figures(code, result, figures, false);
}

std::int32_t kpm_clear_by_rule_flat(std::int32_t kind, std::int32_t states, const double* weights,
                                    std::int64_t prior_count, double risk_aversion,
                                    double ambiguity, double parameter, const double* inventory,
                                    std::int32_t claims, const double* payoffs, std::int64_t count,
                                    const std::int64_t* claim, const std::int8_t* side,
                                    const double* price, const double* quantity, const double* time,
                                    std::int32_t rule, double tolerance, std::int32_t allocation,
                                    double* state_prices, double* claim_prices, double* net_demand,
                                    double* fills, double* payoff, double* figures) {
  const kpm_maker maker =
      kpm::c::maker_from(kind, states, weights, prior_count, risk_aversion, ambiguity, parameter);
  const kpm_market market = kpm::c::market_from(maker, claims, payoffs, inventory);
  const kpm_orders orders{sizeof orders, count, claim, side, price, quantity, time};
  const kpm_settings settings = kpm::c::settings_from(rule, tolerance, allocation);
  kpm_result result = kpm::c::result_into(state_prices, claim_prices, net_demand, fills, payoff);
  const std::int32_t code = kpm_clear(&market, &orders, &settings, &result);
  return kpm::c::with_figures(code, result, figures, true);
}

kpm_engine* kpm_engine_create_maker_flat(std::int32_t kind, std::int32_t states,
                                         const double* weights, std::int64_t prior_count,
                                         double risk_aversion, double ambiguity, double parameter,
                                         const double* inventory, std::int32_t claims,
                                         const double* payoffs, std::int64_t orders) {
  const kpm_maker maker =
      kpm::c::maker_from(kind, states, weights, prior_count, risk_aversion, ambiguity, parameter);
  const kpm_market market = kpm::c::market_from(maker, claims, payoffs, inventory);
  kpm_engine* engine = nullptr;
  kpm_engine_create(&market, orders, &engine);
  return engine;
}

std::size_t kpm_engine_size_maker_flat(std::int32_t states, std::int32_t claims,
                                       std::int64_t orders, std::int64_t levels, std::int64_t nodes,
                                       std::int64_t priors) {
  const kpm_limits limits{sizeof limits, states, claims, orders, levels, nodes, priors};
  return kpm_engine_size(&limits);
}

kpm_engine* kpm_engine_init_maker_flat(void* memory, std::size_t size, std::int64_t orders,
                                       std::int64_t levels, std::int64_t nodes, std::int64_t priors,
                                       std::int32_t kind, std::int32_t states,
                                       const double* weights, std::int64_t prior_count,
                                       double risk_aversion, double ambiguity, double parameter,
                                       const double* inventory, std::int32_t claims,
                                       const double* payoffs) {
  const kpm_limits limits{sizeof limits, states, claims, orders, levels, nodes, priors};
  const kpm_maker maker =
      kpm::c::maker_from(kind, states, weights, prior_count, risk_aversion, ambiguity, parameter);
  const kpm_market market = kpm::c::market_from(maker, claims, payoffs, inventory);
  kpm_engine* engine = nullptr;
  kpm_engine_init(memory, size, &limits, &market, &engine);
  return engine;
}

std::int32_t kpm_engine_set_maker_flat(kpm_engine* engine, std::int32_t kind, std::int32_t states,
                                       const double* weights, std::int64_t prior_count,
                                       double risk_aversion, double ambiguity, double parameter,
                                       const double* inventory) {
  const kpm_maker maker =
      kpm::c::maker_from(kind, states, weights, prior_count, risk_aversion, ambiguity, parameter);
  return kpm_engine_set_maker(engine, &maker, inventory);
}

std::int32_t kpm_engine_clear_by_rule_flat(kpm_engine* engine, std::int32_t rule, double tolerance,
                                           std::int32_t allocation, double* state_prices,
                                           double* claim_prices, double* net_demand, double* fills,
                                           double* payoff, double* figures) {
  const kpm_settings settings = kpm::c::settings_from(rule, tolerance, allocation);
  kpm_result result = kpm::c::result_into(state_prices, claim_prices, net_demand, fills, payoff);
  const std::int32_t code = fills != nullptr ? kpm_engine_clear(engine, &settings, &result)
                                             : kpm_engine_indicative(engine, &settings, &result);
  return kpm::c::with_figures(code, result, figures, true);
}

}  // extern "C"
