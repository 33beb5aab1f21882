#include "kpm/makers.hpp"

#include "mechanisms/quotes.hpp"
#include "mechanisms/trading_gain.hpp"
#include "risk/maker_kinds.hpp"

namespace kpm {

namespace {

Eigen::Map<const Array> row_of(const double* values, std::int64_t row, Eigen::Index states) {
  return {values + row * states, states};
}

}  // namespace

void maker_costs(const MakerModel& model, const double* losses, std::int64_t rows, double* costs) {
  const std::unique_ptr<Maker> maker = make_maker(model);
  for (std::int64_t row = 0; row < rows; ++row) {
    costs[row] = maker->set_losses(row_of(losses, row, maker->states()));
  }
}

void maker_state_prices(const MakerModel& model, const double* losses, std::int64_t rows,
                        double* prices) {
  const std::unique_ptr<Maker> maker = make_maker(model);
  const Eigen::Index states = maker->states();
  for (std::int64_t row = 0; row < rows; ++row) {
    maker->set_losses(row_of(losses, row, states));
    Eigen::Map<Array>(prices + row * states, states) = maker->state_prices();
  }
}

void maker_conjugates(const MakerModel& model, const double* prices, std::int64_t rows,
                      double* values) {
  const std::unique_ptr<Maker> maker = make_maker(model);
  for (std::int64_t row = 0; row < rows; ++row) {
    values[row] = maker->conjugate(row_of(prices, row, maker->states()));
  }
}

void maker_vertex_conjugates(const MakerModel& model, double* values) {
  const std::unique_ptr<Maker> maker = make_maker(model);
  for (Eigen::Index state = 0; state < maker->states(); ++state) {
    values[state] = maker->conjugate_at_vertex(state);
  }
}

void maker_quotes(const MakerModel& model, const double* losses, const double* payoffs,
                  std::int64_t claims, const double* quantities, std::int64_t sizes, double* bid,
                  double* ask) {
  const std::unique_ptr<Maker> maker = make_maker(model);
  maker->set_losses(row_of(losses, 0, maker->states()));
  QuoteEngine engine(*maker);
  const Eigen::Map<const Matrix> table(payoffs, claims, maker->states());
  if (quantities == nullptr) {
    engine.marginal(table, bid, ask);
  } else {
    engine.blocks(table, Eigen::Map<const Matrix>(quantities, claims, sizes), bid, ask);
  }
}

double maker_gain(const MakerModel& model, const double* inventory, const double* payoffs,
                  std::int64_t claims, const double* prices, const double* net_demand,
                  double extra) {
  return TradingGain(model, inventory).of(payoffs, claims, prices, net_demand, extra);
}

double maker_size(const MakerModel& model, const double* losses, const double* payoff,
                  TradeLimit limit, double value) {
  const std::unique_ptr<Maker> maker = make_maker(model);
  const Eigen::Index states = maker->states();
  TradeSize size(*maker, row_of(losses, 0, states), row_of(payoff, 0, states));
  switch (limit) {
    case TradeLimit::kPrice:
      return size.to_price(value);
    case TradeLimit::kLoss:
      return size.to_loss(value);
    case TradeLimit::kBudget:
      break;
  }
  return size.to_budget(value);
}

MakerTrade maker_trade(const MakerModel& model, const double* losses, const double* payoff,
                       double limit, double quantity) {
  const std::unique_ptr<Maker> maker = make_maker(model);
  const Eigen::Index states = maker->states();
  const Eigen::Map<const Array> claim = row_of(payoff, 0, states);
  TradeSize size(*maker, row_of(losses, 0, states), claim);
  MakerTrade trade;
  trade.first_price = maker->slope(claim);
  trade.quantity = size.to_price(limit, quantity);
  trade.cost = trade.quantity > 0.0 ? size.cost(trade.quantity) : 0.0;
  trade.last_price = trade.quantity < quantity ? limit : size.last_price(trade.quantity);
  return trade;
}

}  // namespace kpm
