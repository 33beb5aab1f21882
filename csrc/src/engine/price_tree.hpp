// A claim's prices in order, each with a number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kpm {

/// A B+ tree for each claim, from a price to a number. A node is three cache lines, fetched at
/// once: a million prices are at most six nodes deep, of which two miss every cache. All nodes lie
/// in one array. Every node except a root has at least six entries, whatever was added and removed:
/// memory and time depend only on the present entries.
class PriceTree {
 public:
  static constexpr std::int32_t kNone = -1;

  /// Nodes that so many entries take at most, whichever claims they belong to.
  static constexpr std::uint64_t most_nodes(std::uint64_t claims, std::uint64_t entries) {
    // e / 6 leaves, a sixth of that above them, and so on; and the roots, which may hold less.
    return entries / (kLeast - 1) + (claims < entries ? claims : entries);
  }

  /// The memory that so many entries take at most.
  static constexpr std::uint64_t bytes(std::uint64_t claims, std::uint64_t entries) {
    return most_nodes(claims, entries) * sizeof(Node) + claims * sizeof(std::int32_t);
  }

  void reset(std::size_t claims);
  /// Make room for so many entries: until there are more, nothing is allocated.
  void reserve(std::size_t entries);
  std::size_t nodes() const { return nodes_.size() - free_count_; }

  std::int32_t find(std::int64_t claim, double price) const;
  /// A price that is not in it.
  void insert(std::int64_t claim, double price, std::int32_t value);
  /// A price that is in it.
  void erase(std::int64_t claim, double price);

  /// Call it with every value, in ascending sequence of prices.
  template <class Visit>
  void ascending(std::int64_t claim, Visit&& visit) const {
    std::int32_t way[kDeepest];
    int entries[kDeepest];
    int depth = 0;
    way[0] = root_[static_cast<std::size_t>(claim)];
    entries[0] = 0;
    while (depth >= 0 && way[depth] != kNone) {
      const Node& here = node(way[depth]);
      if (here.leaf) {
        for (int entry = 0; entry < here.count; ++entry) {
          visit(here.value[entry]);
        }
      }
      if (here.leaf || entries[depth] == here.count) {
        --depth;
        continue;
      }
      way[depth + 1] = here.value[entries[depth]++];
      entries[++depth] = 0;
    }
  }

 private:
  static constexpr int kMost = 15;     // entries of a node
  static constexpr int kLeast = 6;     // of one that is no root
  static constexpr int kHalf = 7;      // that stay where a full node is split
  static constexpr int kDeepest = 14;  // nodes one above the other: 6^13 entries are too many

  /// Of a leaf, prices and values. Above, nodes and for each a price that is no greater than any
  /// below it, and greater than any below those before.
  struct alignas(64) Node {
    double price[kMost];  // NaN, which is in no order, where there is no entry
    std::int32_t value[kMost];
    std::int16_t count = 0;
    bool leaf = true;

    Node();
    /// Entries whose price is less than this one.
    int below(double limit) const;
    /// The entry of a node above leaves that leads to a price.
    int way_to(double limit) const;
    void insert(int at, double limit, std::int32_t entry);
    void remove(int at);
    /// Move the entries from one on to the end of another node.
    void move_to(Node& other, int from);
  };

  Node& node(std::int32_t at) { return nodes_[static_cast<std::size_t>(at)]; }
  const Node& node(std::int32_t at) const { return nodes_[static_cast<std::size_t>(at)]; }
  std::int32_t new_node(bool leaf);
  void free_node(std::int32_t at);
  void split(std::int32_t above, int entry);
  void fill_up(std::int32_t above, int entry);

  std::vector<Node> nodes_;
  std::vector<std::int32_t> root_;  // (claims)
  std::int32_t free_ = kNone;       // a list by the first value
  std::size_t free_count_ = 0;
};

}  // namespace kpm
