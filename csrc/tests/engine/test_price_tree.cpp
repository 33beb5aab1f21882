#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "check.hpp"
#include "engine/price_tree.hpp"

namespace kpm {

namespace {

constexpr std::size_t kClaims = 3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The trees beside maps that must hold the same.
struct Pair {
  PriceTree trees;
  std::map<double, std::int32_t> maps[kClaims];
  std::size_t entries = 0;
  std::size_t most = 0;
  std::int32_t next = 0;

  Pair() { trees.reset(kClaims); }

  void toggle(std::size_t claim, double price) {
    const auto tree = static_cast<std::int64_t>(claim);
    if (maps[claim].erase(price) > 0) {
      trees.erase(tree, price);
      --entries;
      CHECK(trees.find(tree, price) == PriceTree::kNone);
    } else {
      trees.reserve(entries + 1);
      trees.insert(tree, price, next);
      maps[claim][price] = next++;
      ++entries;
      most = std::max(most, entries);
    }
    // Whatever came before, there are no more nodes than the entries need.
    CHECK(trees.nodes() <= PriceTree::most_nodes(kClaims, entries));
  }

  void same() const {
    for (std::size_t claim = 0; claim < kClaims; ++claim) {
      const auto tree = static_cast<std::int64_t>(claim);
      std::vector<std::int32_t> expected, found;
      for (const auto& [price, value] : maps[claim]) {
        expected.push_back(value);
        CHECK(trees.find(tree, price) == value);
      }
      trees.ascending(tree, [&](std::int32_t value) { found.push_back(value); });
      CHECK(found == expected);
    }
  }
};

}  // namespace

TEST(a_price_tree_is_a_map_for_any_events_in_any_sequence) {
  test::Random random(140);
  for (int round = 0; round < 30; ++round) {
    Pair pair;
    const int prices = round % 3 == 0 ? 20 : round % 3 == 1 ? 300 : 5000;
    const int events = round % 3 == 2 ? 20000 : 3000;
    for (int event = 0; event < events; ++event) {
      const int price = random.below(prices);
      pair.toggle(static_cast<std::size_t>(random.below(kClaims)), price == 0 ? -kInfinity
                                                                   : price == 1
                                                                       ? kInfinity
                                                                       : 0.01 * price - 1.0);
      if (event % 500 == 0) {
        pair.same();
      }
    }
    pair.same();
    CHECK(pair.most > 10);
  }
}

TEST(a_price_tree_grows_and_empties_from_either_end) {
  for (const bool up : {true, false}) {
    for (const bool back : {true, false}) {
      Pair pair;
      constexpr int kPrices = 4000;
      for (int step = 0; step < kPrices; ++step) {
        pair.toggle(1, up ? step : -step);
      }
      pair.same();
      for (int step = 0; step < kPrices; ++step) {
        const int gone = back ? kPrices - 1 - step : step;
        pair.toggle(1, up ? gone : -gone);
        if (step % 97 == 0) {
          pair.same();
        }
      }
      CHECK(pair.trees.nodes() == 0);
      CHECK(pair.trees.find(1, 0.0) == PriceTree::kNone);
    }
  }
}

TEST(prices_that_were_never_inserted_are_not_found) {
  Pair pair;
  for (int price = 0; price < 1000; price += 2) {
    pair.toggle(2, price);
  }
  for (int price = -1; price < 1002; price += 2) {
    CHECK(pair.trees.find(2, price) == PriceTree::kNone);
    CHECK(pair.trees.find(0, price) == PriceTree::kNone);
  }
}

}  // namespace kpm
