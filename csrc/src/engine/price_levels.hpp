// The limits of the claims, each claim's sorted by price.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kpm {

/// The orders for one side at a limit, and what they add up to. Quantities that are multiples of
/// 2^-10 are counted in such units: as long as all are, and their sum is no more than 2^53 of them,
/// it is exact and the same as in any sequence. Of other quantities the sum in sorted sequence is
/// made when it is asked for.
struct LevelSide {
  std::int32_t first = -1;  ///< order
  std::uint32_t orders = 0;
  std::uint32_t unlike = 0;  ///< orders whose quantity is no such multiple
  bool stale = false;        ///< the sum is to be made
  std::uint64_t units = 0;   ///< of the others
  double sum = 0.0;

  void add(double quantity);
  void remove(double quantity);

 private:
  void count();
};

struct PriceLevel {
  double price = 0.0;
  std::int32_t left = -1, right = -1;     ///< of the tree
  std::int32_t previous = -1, next = -1;  ///< in the sequence of prices
  std::uint32_t rank = 0;                 ///< in the tree: of the price alone
  LevelSide buy, sell;

  bool empty() const { return buy.orders == 0 && sell.orders == 0; }
};

/// A treap for each claim: a search tree by price and a heap by a hash of the price, whose shape
/// depends on the prices that are in it and on nothing else. Operations take O(log) on average over
/// prices; all nodes lie in one array, and nothing is allocated within what was reserved.
class PriceLevels {
 public:
  static constexpr std::int32_t kNone = -1;

  void reset(std::size_t claims);
  void reserve(std::size_t levels) { levels_.reserve(levels); }
  std::size_t capacity() const { return levels_.capacity(); }
  std::size_t size() const { return levels_.size() - free_count_; }

  PriceLevel& operator[](std::int32_t level) { return levels_[static_cast<std::size_t>(level)]; }
  const PriceLevel& operator[](std::int32_t level) const {
    return levels_[static_cast<std::size_t>(level)];
  }

  /// A claim's lowest limit; the others follow by `next`.
  std::int32_t lowest(std::int64_t claim) const { return lowest_[static_cast<std::size_t>(claim)]; }
  std::int32_t find(std::int64_t claim, double price) const;
  /// The level of a price, made if there is none.
  std::int32_t take(std::int64_t claim, double price);
  /// Give back a level without orders.
  void drop(std::int64_t claim, std::int32_t level);

 private:
  std::int32_t* link_above(std::int64_t claim, std::int32_t level);
  std::int32_t new_level();

  std::vector<PriceLevel> levels_;
  std::vector<std::int32_t> root_, lowest_;  // (claims)
  std::int32_t free_ = kNone;                // a list by `next`
  std::size_t free_count_ = 0;
};

}  // namespace kpm
