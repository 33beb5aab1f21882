#include "book.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

namespace fuzz {

namespace {

constexpr std::uint8_t kRaw = 0xF0;   // from here on a double follows
constexpr std::uint8_t kKink = 0x80;  // of the ambiguity: a set of states follows
constexpr double kLargest = 1e30;     // of payoffs, wealth, quantities and risk aversion
constexpr double kSmallest = 1e-30;
constexpr double kSmallestWeight = 1e-200;

/// Zero, or a magnitude between the smallest and the largest.
double bounded(double value) {
  const double size = std::abs(value);
  if (size == 0.0) {
    return 0.0;
  }
  return std::copysign(std::clamp(size, kSmallest, kLargest), value);
}

template <std::size_t N>
double pick(Reader& reader, const std::array<double, N>& list) {
  const std::uint8_t tag = reader.byte();
  return tag >= kRaw ? reader.number() : list[tag % N];
}

constexpr std::array<double, 12> kPayoffs{0.0, 1.0, 0.0,   1.0,  0.5, -1.0,
                                          2.0, 3.0, -0.25, 1e-6, 1e6, -1e12};
constexpr std::array<double, 8> kInventory{0.0, 1.0, -1.0, 0.5, 40.0, -1e3, 1e6, 1e12};
constexpr std::array<double, 10> kQuantities{1.0, 2.0, 0.5, 0.3, 40.0, 0.0, 1e-3, 1e6, 1e12, 1e-12};
constexpr std::array<double, 8> kWeights{1.0, 2.0, 4.0, 0.05, 1e-6, 1e-12, 1e-100, 1e-200};
constexpr std::array<double, 10> kAversions{1.0,  0.1,  0.01,  10.0, 1e3,
                                            1e-6, 1e-9, 1e-12, 1e6,  1e12};
constexpr std::array<double, 11> kAmbiguities{0.0,  0.1,  0.01,  1.0,    2.0,           1e-3,
                                              1e-9, 20.0, 700.0, 1e-300, kpm::kInfinity};
constexpr std::array<double, 8> kAroundKink{1.0,   1.0 - 1e-9,  1.0 + 1e-9,  0.999,
                                            1.001, 1.0 - 1e-15, 1.0 + 1e-15, 0.5};
constexpr std::array<double, 13> kPlaces{0.0,   0.125,          0.25,           0.375, 0.5,
                                         0.625, 0.75,           0.875,          1.0,   -0.5,
                                         1.5,   kpm::kInfinity, -kpm::kInfinity};
constexpr std::array<double, 4> kTimes{0.0, 1.0, 2.0, -1.0};
constexpr std::array<double, 4> kTolerances{1e-8, 1e-6, 1e-4, 1e-10};

}  // namespace

std::uint8_t Reader::byte() {
  if (left_ == 0) {
    return 0;
  }
  --left_;
  return *next_++;
}

double Reader::number() {
  std::uint64_t bits = 0;
  for (int place = 0; place < 64; place += 8) {
    bits |= static_cast<std::uint64_t>(byte()) << place;
  }
  double value = 0.0;
  std::memcpy(&value, &bits, sizeof value);
  return std::isnan(value) ? 0.0 : value;
}

Book::Book(const std::uint8_t* data, std::size_t size) {
  Reader reader(data, size);
  const std::uint8_t options = reader.byte();
  by_time = (options & 1U) != 0;
  presolve = (options & 2U) == 0;
  certificate = (options & 4U) != 0;
  two_threads = (options & 8U) != 0;
  tolerance = kTolerances[(options >> 4U) % kTolerances.size()];
  states = 1 + reader.byte() % 8;
  claims = 1 + reader.byte() % 6;
  const int count = reader.byte() % 49;
  node_limit = 1 + reader.byte() % 64;
  read_maker(reader);
  read_payoffs(reader);
  read_orders(reader, count);
  for (int k = 0; k < claims; ++k) {
    cell.push_back(reader.byte());
  }
}

void Book::read_maker(Reader& reader) {
  risk_aversion = std::clamp(pick(reader, kAversions), kSmallest, kLargest);
  const std::uint8_t tag = reader.byte();
  const bool kink = tag >= kKink && tag < kRaw;
  std::uint8_t worst = 0;
  if (kink) {
    worst = reader.byte();
  } else {
    const double value = tag >= kRaw ? reader.number() : kAmbiguities[tag % kAmbiguities.size()];
    ambiguity = std::max(value, 0.0);
  }
  for (int i = 0; i < states; ++i) {
    prior.push_back(std::clamp(pick(reader, kWeights), kSmallestWeight, 1e12));
  }
  const double total = std::accumulate(prior.begin(), prior.end(), 0.0);
  for (double& weight : prior) {
    weight = std::max(weight / total, kSmallestWeight);
  }
  if (kink) {
    double mass = 0.0;
    for (int i = 0; i < states; ++i) {
      mass += (worst >> i & 1) != 0 ? prior[static_cast<std::size_t>(i)] : 0.0;
    }
    const double at = mass > 0.0 ? std::max(0.0, -std::log(mass)) : 0.0;
    ambiguity = at * kAroundKink[tag % kAroundKink.size()];
  }
  for (int i = 0; i < states; ++i) {
    inventory.push_back(bounded(pick(reader, kInventory)));
  }
}

void Book::read_payoffs(Reader& reader) {
  for (int cell_index = 0; cell_index < claims * states; ++cell_index) {
    payoffs.push_back(bounded(pick(reader, kPayoffs)));
  }
}

void Book::read_orders(Reader& reader, int count) {
  for (int j = 0; j < count; ++j) {
    const auto k = static_cast<std::int64_t>(reader.byte() % claims);
    claim.push_back(k);
    side.push_back(reader.byte() % 2 == 0 ? std::int8_t{1} : std::int8_t{-1});
    const auto row = payoffs.begin() + k * states;
    const auto [low, high] = std::minmax_element(row, row + states);
    const std::uint8_t tag = reader.byte();
    if (tag >= kRaw) {
      price.push_back(reader.number());
    } else {
      const double span = *high > *low ? *high - *low : 1.0;
      price.push_back(*low + kPlaces[tag % kPlaces.size()] * span);
    }
    quantity.push_back(std::abs(bounded(pick(reader, kQuantities))));
    time.push_back(bounded(pick(reader, kTimes)));
  }
}

kpm::Market Book::market() const {
  kpm::Market market;
  market.states = states;
  market.claims = claims;
  market.payoffs = payoffs.data();
  market.prior = prior.data();
  market.inventory = inventory.data();
  market.risk_aversion = risk_aversion;
  market.ambiguity = ambiguity;
  return market;
}

kpm::Orders Book::orders() const {
  kpm::Orders orders;
  orders.count = static_cast<std::int64_t>(claim.size());
  orders.claim = claim.data();
  orders.side = side.data();
  orders.price = price.data();
  orders.quantity = quantity.data();
  orders.time = by_time ? time.data() : nullptr;
  return orders;
}

kpm::ClearSettings Book::settings() const {
  kpm::ClearSettings settings;
  settings.tolerance = tolerance;
  settings.node_limit = node_limit;
  settings.presolve = presolve;
  settings.certificate = certificate;
  settings.allocation = by_time ? kpm::Allocation::kTime : kpm::Allocation::kProRata;
  return settings;
}

}  // namespace fuzz
