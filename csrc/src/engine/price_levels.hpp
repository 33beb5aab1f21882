// The limits of the claims, and the bids and offers at each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/price_tree.hpp"

namespace kpm {

/// The orders on one side of a limit, and their sum. Quantities that are multiples of
/// 2^-10 are counted in such units: as long as all are, and their sum is no more than 2^53 of them,
/// it is exact and the same as in any sequence. Other quantities are summed in sorted order when
/// the sum is needed.
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
  LevelSide buy, sell;  ///< buy.first of an unused level is the next unused one

  bool empty() const { return buy.orders == 0 && sell.orders == 0; }
};

/// Levels in one array, found through a tree for each claim. Nothing is allocated within the
/// reserved capacity.
class PriceLevels {
 public:
  static constexpr std::int32_t kNone = -1;

  /// The memory that so many levels take at most.
  static constexpr std::uint64_t bytes(std::uint64_t claims, std::uint64_t levels) {
    return levels * sizeof(PriceLevel) + PriceTree::bytes(claims, levels);
  }

  void reset(std::size_t claims);
  void reserve(std::size_t levels) {
    levels_.reserve(levels);
    tree_.reserve(levels);
  }
  std::size_t capacity() const { return levels_.capacity(); }
  std::size_t size() const { return levels_.size() - free_count_; }

  PriceLevel& operator[](std::int32_t level) { return levels_[static_cast<std::size_t>(level)]; }
  const PriceLevel& operator[](std::int32_t level) const {
    return levels_[static_cast<std::size_t>(level)];
  }

  std::int32_t find(std::int64_t claim, double price) const { return tree_.find(claim, price); }
  /// Make room for one level more.
  void make_room();
  /// The level of a price that has none yet; there is room.
  std::int32_t make(std::int64_t claim, double price);
  /// Give back a level without orders.
  void drop(std::int64_t claim, std::int32_t level);

  /// Call it with every level of a claim, in ascending sequence of prices.
  template <class Visit>
  void ascending(std::int64_t claim, Visit&& visit) {
    tree_.ascending(claim, [&](std::int32_t level) { visit((*this)[level]); });
  }

 private:
  std::vector<PriceLevel> levels_;
  PriceTree tree_;
  std::int32_t free_ = kNone;
  std::size_t free_count_ = 0;
};

}  // namespace kpm
