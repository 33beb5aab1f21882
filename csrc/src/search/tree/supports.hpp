// Multipliers that nodes of a tree leave to others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "risk/dual_bound.hpp"

namespace kpm {

using Supports = std::vector<Multipliers>;

/// Multipliers that other nodes left, the latest first: they bound any box.
class SupportsView {
 public:
  SupportsView() = default;
  SupportsView(const Supports& all)
      : SupportsView(all.data(), all.size(), all.size(), all.size()) {}
  /// The last `size` before `end`; the n-th is at n modulo the ring's room.
  SupportsView(const Multipliers* ring, std::size_t room, std::size_t end, std::size_t size)
      : ring_(ring), room_(room), end_(end), size_(size) {}

  std::size_t size() const { return size_; }
  const Multipliers& operator[](std::size_t n) const { return ring_[(end_ - 1 - n) % room_]; }

 private:
  const Multipliers* ring_ = nullptr;
  std::size_t room_ = 0;
  std::size_t end_ = 0;
  std::size_t size_ = 0;
};

/// The latest of all. What a view shows stays until so many others have been added.
class RecentSupports {
 public:
  static constexpr std::size_t kShown = 64;

  explicit RecentSupports(std::size_t spared) : room_(kShown + spared) {}

  /// Takes it, and leaves the memory of one that nobody sees any more.
  void add(Multipliers& support) {
    if (end_ < room_) {
      ring_.reserve(room_);  // what is seen does not move
      ring_.push_back(std::move(support));
    } else {
      std::swap(ring_[end_ % room_], support);
    }
    ++end_;
  }

  SupportsView latest() const { return {ring_.data(), room_, end_, std::min(end_, kShown)}; }

 private:
  std::size_t room_;
  std::size_t end_ = 0;  // so many have been added
  Supports ring_;
};

}  // namespace kpm
