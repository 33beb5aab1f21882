#include "engine/price_tree.hpp"

#include <algorithm>
#include <limits>

namespace kpm {

namespace {

constexpr double kNoPrice = std::numeric_limits<double>::quiet_NaN();
constexpr double kLowest = -std::numeric_limits<double>::infinity();

}  // namespace

PriceTree::Node::Node() {
  std::fill_n(price, kMost, kNoPrice);
  std::fill_n(value, kMost, kNone);
}

// A loop of fixed length without branches: the processor has nothing to predict.
int PriceTree::Node::below(double limit) const {
  int entries = 0;
  for (const double entry : price) {
    entries += entry < limit ? 1 : 0;
  }
  return entries;
}

int PriceTree::Node::way_to(double limit) const {
  int entries = 0;
  for (int entry = 1; entry < kMost; ++entry) {
    entries += price[entry] <= limit ? 1 : 0;
  }
  return entries;
}

void PriceTree::Node::insert(int at, double limit, std::int32_t entry) {
  std::copy_backward(price + at, price + count, price + count + 1);
  std::copy_backward(value + at, value + count, value + count + 1);
  price[at] = limit;
  value[at] = entry;
  ++count;
}

void PriceTree::Node::remove(int at) {
  std::copy(price + at + 1, price + count, price + at);
  std::copy(value + at + 1, value + count, value + at);
  --count;
  price[count] = kNoPrice;
}

void PriceTree::Node::move_to(Node& other, int from) {
  std::copy(price + from, price + count, other.price + other.count);
  std::copy(value + from, value + count, other.value + other.count);
  std::fill(price + from, price + count, kNoPrice);
  other.count = static_cast<std::int16_t>(other.count + count - from);
  count = static_cast<std::int16_t>(from);
}

void PriceTree::reset(std::size_t claims) {
  nodes_.clear();
  root_.assign(claims, kNone);
  free_ = kNone;
  free_count_ = 0;
}

void PriceTree::reserve(std::size_t entries) {
  const std::size_t nodes = most_nodes(root_.size(), entries);
  if (nodes > nodes_.capacity()) {
    // Growth by half: seldom, even where entries come one by one.
    nodes_.reserve(std::max(nodes, nodes_.capacity() + nodes_.capacity() / 2));
  }
}

std::int32_t PriceTree::find(std::int64_t claim, double price) const {
  std::int32_t at = root_[static_cast<std::size_t>(claim)];
  if (at == kNone) {
    return kNone;
  }
  while (!node(at).leaf) {
    at = node(at).value[node(at).way_to(price)];
  }
  const Node& leaf = node(at);
  const int entry = leaf.below(price);
  return entry < leaf.count && leaf.price[entry] == price ? leaf.value[entry] : kNone;
}

void PriceTree::insert(std::int64_t claim, double price, std::int32_t value) {
  const auto tree = static_cast<std::size_t>(claim);
  if (root_[tree] == kNone) {
    root_[tree] = new_node(true);
  } else if (node(root_[tree]).count == kMost) {
    const std::int32_t above = new_node(false);
    node(above).insert(0, kLowest, root_[tree]);
    root_[tree] = above;
    split(above, 0);
  }
  // On the way down every node that is full is split: the one above has room.
  std::int32_t at = root_[tree];
  while (!node(at).leaf) {
    int entry = node(at).way_to(price);
    if (node(node(at).value[entry]).count == kMost) {
      split(at, entry);
      entry = node(at).way_to(price);
    }
    at = node(at).value[entry];
  }
  Node& leaf = node(at);
  leaf.insert(leaf.below(price), price, value);
}

void PriceTree::erase(std::int64_t claim, double price) {
  std::int32_t& root = root_[static_cast<std::size_t>(claim)];
  // On the way down every node has one entry more than the least before it may lose one.
  std::int32_t at = root;
  while (!node(at).leaf) {
    int entry = node(at).way_to(price);
    if (node(node(at).value[entry]).count <= kLeast) {
      fill_up(at, entry);
      entry = node(at).way_to(price);
    }
    const std::int32_t next = node(at).value[entry];
    if (at == root && node(at).count == 1) {
      root = next;
      free_node(at);
    }
    at = next;
  }
  Node& leaf = node(at);
  leaf.remove(leaf.below(price));
  if (leaf.count == 0) {  // the root
    root = kNone;
    free_node(at);
  }
}

/// Moves half of a full node into a new one after it.
void PriceTree::split(std::int32_t above, int entry) {
  const std::int32_t full = node(above).value[entry];
  const std::int32_t made = new_node(node(full).leaf);
  node(full).move_to(node(made), kHalf);
  node(above).insert(entry + 1, node(made).price[0], made);
}

/// Moves an entry of a neighbour into a node, or merges the two.
void PriceTree::fill_up(std::int32_t above, int entry) {
  Node& parent = node(above);
  const bool last = entry + 1 == parent.count;
  const int left_entry = last ? entry - 1 : entry;
  const int right_entry = left_entry + 1;
  Node& left = node(parent.value[left_entry]);
  Node& right = node(parent.value[right_entry]);
  if ((last ? left : right).count == kLeast) {
    const std::int32_t emptied = parent.value[right_entry];
    right.move_to(left, 0);
    parent.remove(right_entry);
    free_node(emptied);
  } else if (last) {
    const int moved = left.count - 1;
    right.insert(0, left.price[moved], left.value[moved]);
    left.remove(moved);
    parent.price[right_entry] = right.price[0];
  } else {
    left.insert(left.count, right.price[0], right.value[0]);
    right.remove(0);
    parent.price[right_entry] = right.price[0];
  }
}

std::int32_t PriceTree::new_node(bool leaf) {
  std::int32_t at = free_;
  if (at == kNone) {
    at = static_cast<std::int32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    free_ = node(at).value[0];
    --free_count_;
  }
  node(at) = Node{};
  node(at).leaf = leaf;
  return at;
}

void PriceTree::free_node(std::int32_t at) {
  node(at).value[0] = free_;
  free_ = at;
  ++free_count_;
}

}  // namespace kpm
