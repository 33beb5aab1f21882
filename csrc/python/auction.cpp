// Clearing by a convex rule, for Python: a maker and a book in, a dictionary out.
#include "auction.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "arrays.hpp"
#include "clearing.hpp"
#include "counts.hpp"
#include "interpreter_lock.hpp"
#include "kpm/auction.hpp"
#include "maker_model.hpp"
#include "signal_watch.hpp"

namespace kpm {

namespace {

AuctionSettings settings_of(const std::string& allocation, const std::string& rule,
                            double tolerance, double time_limit) {
  AuctionSettings settings;
  settings.time_limit = time_limit;
  settings.rule = convex_rule(rule);
  settings.allocation = allocation == "time" ? Allocation::kTime : Allocation::kProRata;
  settings.tolerance = tolerance;
  return settings;
}

py::dict clear_by_rule(const py::dict& maker, const In<double>& payoffs,
                       const In<double>& inventory, const In<std::int64_t>& claim,
                       const In<std::int8_t>& side, const In<double>& price,
                       const In<double>& quantity, const std::optional<In<double>>& time,
                       const std::string& allocation, const std::string& rule, double tolerance,
                       double time_limit, OptionalStop stop) {
  const GivenMaker given = borrow_market(maker, payoffs, inventory);
  const Orders orders = borrow_orders(claim, side, price, quantity, time);
  return auction_for_python(allocation, rule, tolerance, time_limit, stop,
                            [&](const AuctionSettings& settings) {
                              return clear_auction(given.market, given.maker, orders, settings);
                            });
}

}  // namespace

ConvexRule convex_rule(const std::string& name) {
  return name == "pay_as_bid" ? ConvexRule::kPayAsBid
         : name == "pdca"     ? ConvexRule::kPdca
                              : ConvexRule::kCompetitive;
}

py::dict auction_for_python(const std::string& allocation, const std::string& rule,
                            double tolerance, double time_limit, OptionalStop stop,
                            const std::function<AuctionClearing(const AuctionSettings&)>& clear) {
  AuctionSettings settings = settings_of(allocation, rule, tolerance, time_limit);
  SignalWatch watch;
  AuctionClearing cleared;
  {
    Unlocked unlocked;
    bool begun = false;
    settings.interrupted = [&] {
      if (stop && stop->get().raised()) {
        return true;
      }
      if (!begun) {  // Python has just looked for signals
        begun = true;
        return false;
      }
      const Unlocked::Relocked relocked(unlocked);
      return watch.interrupted();
    };
    cleared = clear(settings);
  }
  watch.rethrow();
  watch.pass_on(cleared.clearing.status);
  const Clearing& clearing = cleared.clearing;
  py::dict seconds;
  seconds["compile"] = clearing.seconds_compile;
  seconds["search"] = clearing.seconds_search;
  seconds["select"] = clearing.seconds_select;
  seconds["total"] = clearing.seconds_total;
  py::dict result;
  result["status"] = name_of(clearing.status);
  result["cell"] = to_array(clearing.cell);
  result["state_prices"] = to_array(clearing.state_prices);
  result["claim_prices"] = to_array(clearing.claim_prices);
  result["net_demand"] = to_array(clearing.net_demand);
  result["fills"] = to_array(clearing.fills);
  result["revenue"] = clearing.revenue;
  result["payoff"] = to_array(clearing.payoff);
  result["certainty_equivalent"] = clearing.certainty_equivalent;
  result["no_trade_equivalent"] = clearing.no_trade_equivalent + 0.0;  // no -0
  result["objective"] = cleared.objective;
  result["upper_bound"] = clearing.upper_bound;
  result["scale"] = clearing.scale;
  result["worst_case"] = to_array(clearing.support.worst_case);
  result["marginal_state_prices"] = to_array(clearing.support.marginal_state_prices);
  result["multipliers"] = to_array(clearing.support.multipliers);
  result["ambiguity_price"] = clearing.support.ambiguity_price;
  result["pieces"] = clearing.pieces;
  result["iterations"] = clearing.iterations;
  result["seconds"] = seconds;
  return result;
}

void add_auctions(py::module_& module) {
  using py::arg;
  module.def("clear_auction", &clear_by_rule, arg("maker"), arg("payoffs").noconvert(),
             arg("inventory").noconvert(), arg("claim").noconvert(), arg("side").noconvert(),
             arg("price").noconvert(), arg("quantity").noconvert(), arg("time").none(true),
             arg("allocation"), arg("rule"), arg("tolerance"), arg("time_limit"),
             arg("stop").none(true));
}

}  // namespace kpm
