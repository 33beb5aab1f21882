#include "book/staircase.hpp"

#include <algorithm>
#include <cmath>

#include "book/quotes.hpp"
#include "numerics/extremes.hpp"

namespace kpm {

namespace {

/// Add up the quotes of each price, which are adjacent, into `levels`, which has room for as many
/// as there are quotes. Returns the end of those used.
Level* add_up(const Quote* begin, const Quote* end, Level* levels) {
  for (const Quote* quote = begin; quote != end; ++levels) {
    const double price = quote->price;
    double buy = 0.0;
    double sell = 0.0;
    for (; quote != end && quote->price == price; ++quote) {
      // Exactly, and without a branch: nobody can guess an order's side.
      const double size = std::abs(quote->quantity);
      buy += 0.5 * (size + quote->quantity);
      sell += 0.5 * (size - quote->quantity);
    }
    *levels = {price, buy, sell};
  }
  return levels;
}

}  // namespace

Staircase make_staircase(double price_min, double price_max, const Level* begin, const Level* end) {
  Staircase stairs;
  stairs.price_min = price_min;
  stairs.price_max = price_max;
  const Level* const first = std::partition_point(
      begin, end, [&](const Level& level) { return stairs.below_range(level.price); });
  const Level* const last = std::partition_point(
      first, end, [&](const Level& level) { return !stairs.above_range(level.price); });
  double always_sold = 0.0;
  for (const Level* level = begin; level != first; ++level) {
    always_sold += level->sell;
  }
  double always_bought = 0.0;
  for (const Level* level = last; level != end; ++level) {
    always_bought += level->buy;
  }
  stairs.reserve(static_cast<std::size_t>(last - first));
  const double same = kSameLimit * stairs.span();
  double volume = always_sold;
  std::size_t limits = 0;
  for (const Level* level = first; level != last; ++limits) {
    const double lowest = level->price;
    double buy = 0.0;
    double sell = 0.0;
    do {
      buy += level->buy;
      sell += level->sell;
      volume += level->buy + level->sell;
      ++level;
    } while (level != last && level->price - lowest <= same);
    stairs.limit[limits] = lowest;
    stairs.buy[limits] = buy;
    stairs.sell[limits] = sell;
  }
  stairs.shrink(limits);
  stairs.volume = volume + always_bought;
  stairs.bought[limits] = always_bought;
  stairs.sold[0] = always_sold;
  stairs.accumulate();
  return stairs;
}

/// The sums over limits, from what trades at every price and the quantities at each limit.
void Staircase::accumulate() {
  const std::size_t limits = limit.size();
  double sum = sold[0];
  for (std::size_t l = 0; l < limits; ++l) {
    sold[l + 1] = sum += sell[l];
  }
  sum = bought[limits];
  demand[limits] = sum - sold[limits];
  for (std::size_t l = limits; l-- > 0;) {
    bought[l] = sum += buy[l];
    demand[l] = sum - sold[l];
  }
}

Staircase Staircase::copy() const {
  Staircase other;
  other.price_min = price_min;
  other.price_max = price_max;
  other.volume = volume;
  other.reserve(limit.size());
  for (const auto figures : {&Staircase::limit, &Staircase::buy, &Staircase::sell,
                             &Staircase::bought, &Staircase::sold, &Staircase::demand}) {
    std::copy((this->*figures).begin(), (this->*figures).end(), (other.*figures).begin());
  }
  return other;
}

void Staircase::reserve(std::size_t n) {
  memory_ = LargeArray<double>(6 * n + 3);
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

void Staircase::shrink(std::size_t n) {
  for (Figures* figures : {&limit, &buy, &sell}) {
    *figures = {figures->begin(), n};
  }
  for (Figures* figures : {&bought, &sold, &demand}) {
    *figures = {figures->begin(), n + 1};
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
  std::ptrdiff_t most = 0;
  for (std::size_t k = 1; k < book.first.size(); ++k) {
    most = std::max(most, book.first[k] - book.first[k - 1]);
  }
  LargeArray<Level> levels(static_cast<std::size_t>(most));
  for (int k = 0; k < market.claims; ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double* row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
    const auto [low, high] = extremes_of(row, market.states);
    const Level* const last = add_up(book.quotes.data() + book.first[at],
                                     book.quotes.data() + book.first[at + 1], levels.data());
    result.push_back(make_staircase(low, high, levels.data(), last));
  }
  return result;
}

}  // namespace kpm
