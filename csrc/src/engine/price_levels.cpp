#include "engine/price_levels.hpp"

#include <cmath>

namespace kpm {

namespace {

constexpr double kUnit = 0x1p-10;
constexpr double kMostOfOne = 0x1p33;              // shares; 2^43 units
constexpr std::uint64_t kMostUnits = 1ULL << 53U;  // a double holds as many
constexpr std::uint32_t kMostOrders = 1U << 20U;   // whose units cannot overflow

bool is_multiple(double quantity) {
  const double units = quantity / kUnit;
  return quantity <= kMostOfOne && units == std::floor(units);
}

}  // namespace

void LevelSide::add(double quantity) {
  ++orders;
  if (is_multiple(quantity)) {
    units += static_cast<std::uint64_t>(quantity / kUnit);
  } else {
    ++unlike;
  }
  count();
}

void LevelSide::remove(double quantity) {
  --orders;
  if (is_multiple(quantity)) {
    units -= static_cast<std::uint64_t>(quantity / kUnit);
  } else {
    --unlike;
  }
  count();
}

void LevelSide::count() {
  stale = unlike > 0 || units > kMostUnits || orders > kMostOrders;
  if (!stale) {
    sum = static_cast<double>(units) * kUnit;
  }
}

void PriceLevels::reset(std::size_t claims) {
  levels_.clear();
  tree_.reset(claims);
  free_ = kNone;
  free_count_ = 0;
}

void PriceLevels::make_room() {
  tree_.reserve(size() + 1);
  if (free_ == kNone && levels_.size() == levels_.capacity()) {
    levels_.reserve(2 * levels_.capacity() + 1);
  }
}

std::int32_t PriceLevels::make(std::int64_t claim, double price) {
  std::int32_t level = free_;
  if (level == kNone) {
    level = static_cast<std::int32_t>(levels_.size());
    levels_.emplace_back();
  } else {
    free_ = (*this)[level].buy.first;
    --free_count_;
  }
  (*this)[level] = {};
  (*this)[level].price = price;
  tree_.insert(claim, price, level);
  return level;
}

void PriceLevels::drop(std::int64_t claim, std::int32_t level) {
  tree_.erase(claim, (*this)[level].price);
  (*this)[level].buy.first = free_;
  free_ = level;
  ++free_count_;
}

}  // namespace kpm
