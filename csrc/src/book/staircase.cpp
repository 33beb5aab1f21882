#include "book/staircase.hpp"

#include <algorithm>
#include <cmath>

#include "book/quotes.hpp"

namespace kpm {

namespace {

Staircase compile_one(double price_min, double price_max, const Quote* begin, const Quote* end) {
  Staircase stairs;
  stairs.price_min = price_min;
  stairs.price_max = price_max;
  const Quote* first = begin;
  while (first != end && stairs.below_range(first->price)) {
    ++first;
  }
  const Quote* last = first;
  std::size_t limits = 0;
  for (; last != end && !stairs.above_range(last->price); ++last) {
    limits += last == first || last->price != last[-1].price ? 1 : 0;
  }
  stairs.reserve(limits);
  double always_bought = 0.0;
  double always_sold = 0.0;
  double volume = 0.0;
  for (const Quote* quote = begin; quote != first; ++quote) {
    always_sold += std::max(-quote->quantity, 0.0);
  }
  volume += always_sold;
  std::size_t at = 0;
  for (const Quote* quote = first; quote != last; ++quote) {
    at += quote != first && quote->price != quote[-1].price ? 1 : 0;
    const double quantity = std::abs(quote->quantity);
    volume += quantity;
    stairs.limit[at] = quote->price;
    (quote->quantity > 0.0 ? stairs.buy : stairs.sell)[at] += quantity;
  }
  for (const Quote* quote = last; quote != end; ++quote) {
    volume += std::max(quote->quantity, 0.0);
    always_bought += std::max(quote->quantity, 0.0);
  }
  stairs.volume = volume;
  stairs.bought[limits] = always_bought;
  stairs.sold[0] = always_sold;
  stairs.accumulate();
  return stairs;
}

}  // namespace

/// The sums over limits, from what trades at every price and the quantities at each limit.
void Staircase::accumulate() {
  const std::size_t limits = limit.size();
  for (std::size_t l = limits; l-- > 0;) {
    bought[l] = bought[l + 1] + buy[l];
  }
  for (std::size_t l = 0; l < limits; ++l) {
    sold[l + 1] = sold[l] + sell[l];
  }
  for (std::size_t l = 0; l <= limits; ++l) {
    demand[l] = bought[l] - sold[l];
  }
}

Staircase Staircase::copy() const {
  Staircase other;
  other.price_min = price_min;
  other.price_max = price_max;
  other.volume = volume;
  other.reserve(limit.size());
  other.memory_ = memory_;  // as long as its own: the figures stay where they are
  return other;
}

void Staircase::reserve(std::size_t n) {
  memory_.assign(6 * n + 3, 0.0);
  double* next = memory_.data();
  for (Figures* figures : {&limit, &buy, &sell}) {
    *figures = {next, n};
    next += n;
  }
  for (Figures* figures : {&bought, &sold, &demand}) {
    *figures = {next, n + 1};
    next += n + 1;
  }
}

Piece Staircase::piece(int index) const {
  const auto l = static_cast<std::size_t>(index / 2);
  if (is_step(index)) {
    return {limit[l], limit[l], demand[l + 1], demand[l]};
  }
  const double low = l == 0 ? price_min : limit[l - 1];
  const double high = l == limit.size() ? price_max : limit[l];
  return {low, high, demand[l], demand[l]};
}

std::vector<Staircase> compile_staircases(const Market& market, const Orders& orders) {
  const Quotes book(market, orders);
  std::vector<Staircase> result;
  result.reserve(static_cast<std::size_t>(market.claims));
  for (int k = 0; k < market.claims; ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double* row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
    const auto [low, high] = std::minmax_element(row, row + market.states);
    result.push_back(compile_one(*low, *high, book.quotes.data() + book.first[at],
                                 book.quotes.data() + book.first[at + 1]));
  }
  return result;
}

}  // namespace kpm
