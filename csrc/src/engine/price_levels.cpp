#include "engine/price_levels.hpp"

#include <cmath>
#include <cstring>

#include "engine/order_index.hpp"

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

std::uint32_t rank_of(double price) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &price, sizeof bits);
  return static_cast<std::uint32_t>(mixed(bits));
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
  root_.assign(claims, kNone);
  lowest_.assign(claims, kNone);
  free_ = kNone;
  free_count_ = 0;
}

std::int32_t PriceLevels::find(std::int64_t claim, double price) const {
  std::int32_t at = root_[static_cast<std::size_t>(claim)];
  while (at != kNone && (*this)[at].price != price) {
    at = price < (*this)[at].price ? (*this)[at].left : (*this)[at].right;
  }
  return at;
}

std::int32_t PriceLevels::take(std::int64_t claim, double price) {
  std::int32_t below = kNone;
  std::int32_t above = kNone;
  for (std::int32_t at = root_[static_cast<std::size_t>(claim)]; at != kNone;) {
    const PriceLevel& level = (*this)[at];
    if (level.price == price) {
      return at;
    }
    (price < level.price ? above : below) = at;
    at = price < level.price ? level.left : level.right;
  }

  const std::int32_t made = new_level();
  PriceLevel& level = (*this)[made];
  level.price = price;
  level.rank = rank_of(price);
  level.previous = below;
  level.next = above;
  (below == kNone ? lowest_[static_cast<std::size_t>(claim)] : (*this)[below].next) = made;
  if (above != kNone) {
    (*this)[above].previous = made;
  }

  std::int32_t* link = &root_[static_cast<std::size_t>(claim)];
  while (*link != kNone && (*this)[*link].rank >= level.rank) {
    PriceLevel& parent = (*this)[*link];
    link = price < parent.price ? &parent.left : &parent.right;
  }
  // What is below here is split at the price.
  std::int32_t rest = *link;
  *link = made;
  std::int32_t* lower = &level.left;
  std::int32_t* upper = &level.right;
  while (rest != kNone) {
    PriceLevel& node = (*this)[rest];
    if (node.price < price) {
      *lower = rest;
      lower = &node.right;
      rest = *lower;
    } else {
      *upper = rest;
      upper = &node.left;
      rest = *upper;
    }
  }
  *lower = *upper = kNone;
  return made;
}

void PriceLevels::drop(std::int64_t claim, std::int32_t dropped) {
  PriceLevel& level = (*this)[dropped];
  std::int32_t* link = link_above(claim, dropped);
  std::int32_t left = level.left;
  std::int32_t right = level.right;
  while (left != kNone && right != kNone) {
    if ((*this)[left].rank >= (*this)[right].rank) {
      *link = left;
      link = &(*this)[left].right;
      left = *link;
    } else {
      *link = right;
      link = &(*this)[right].left;
      right = *link;
    }
  }
  *link = left != kNone ? left : right;
  (level.previous == kNone ? lowest_[static_cast<std::size_t>(claim)]
                           : (*this)[level.previous].next) = level.next;
  if (level.next != kNone) {
    (*this)[level.next].previous = level.previous;
  }
  level = {};
  level.next = free_;
  free_ = dropped;
  ++free_count_;
}

std::int32_t* PriceLevels::link_above(std::int64_t claim, std::int32_t level) {
  const double price = (*this)[level].price;
  std::int32_t* link = &root_[static_cast<std::size_t>(claim)];
  while (*link != level) {
    PriceLevel& parent = (*this)[*link];
    link = price < parent.price ? &parent.left : &parent.right;
  }
  return link;
}

std::int32_t PriceLevels::new_level() {
  if (free_ == kNone) {
    levels_.emplace_back();
    return static_cast<std::int32_t>(levels_.size()) - 1;
  }
  const std::int32_t level = free_;
  free_ = (*this)[level].next;
  (*this)[level].next = kNone;
  --free_count_;
  return level;
}

}  // namespace kpm
