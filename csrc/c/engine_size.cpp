#include "engine_size.hpp"

#include <cstdint>
#include <limits>

#include "structs.hpp"

namespace kpm::c {

namespace {

std::int64_t within(const char* name, std::int64_t value, std::int64_t least, std::int64_t most,
                    const char* rule) {
  if (value < least || value > most) {
    throw Refusal(name, rule, static_cast<double>(value));
  }
  return value;
}

}  // namespace

Limits limits_of(const kpm_limits* given) {
  const kpm_limits own = read(given, "limits");
  constexpr std::int64_t kMostStates = 1000000;
  constexpr std::int64_t kNodes = 1000;
  Limits limits{};
  limits.states =
      static_cast<int>(within("states", own.states, 1, kMostStates, "must be between 1 and 1e6"));
  limits.claims =
      static_cast<int>(within("claims", own.claims, 1, kMostStates, "must be between 1 and 1e6"));
  limits.orders = within("orders", own.orders, 0, kMostOrders, "must be between 0 and 1e9");
  limits.levels = within("levels", own.levels, 0, kMostOrders, "must be between 0 and 1e9");
  limits.nodes = within("nodes", own.nodes, 0, kMostOrders, "must be between 0 and 1e9");
  limits.priors =
      static_cast<int>(within("priors", own.priors, 0, kMostStates, "must be between 0 and 1e6"));
  if (limits.levels == 0) {
    limits.levels = limits.orders;
  }
  if (limits.nodes == 0) {
    limits.nodes = kNodes;
  }
  return limits;
}

std::size_t engine_memory(const Limits& limits) {
  const auto states = static_cast<std::uint64_t>(limits.states);
  const auto claims = static_cast<std::uint64_t>(limits.claims);
  const auto orders = static_cast<std::uint64_t>(limits.orders);
  const auto levels = static_cast<std::uint64_t>(limits.levels);
  const auto nodes = static_cast<std::uint64_t>(limits.nodes);
  const auto priors = static_cast<std::uint64_t>(limits.priors);

  // What stays, and the heap's headers of these blocks.
  constexpr std::uint64_t kHeaders = 4096;
  const std::uint64_t kept = Engine::bytes(limits.claims, limits.engine()) + kHeaders;

  // What a clearing needs besides, measured over books of up to 500 states, 500 claims and 20,000
  // orders: solvers work in squares of states and claims; staircases, corners and fills are by
  // level and order; a node has its box of pieces and its multipliers.
  // The convex rules need two thirds of it, except that a polytope's interior-point method works
  // in squares of its priors: 5 numbers each, measured with up to 200.
  const std::uint64_t both = states + claims;
  const std::uint64_t polytope = 8 * priors * (6 * priors + 4 * both + 200);
  const std::uint64_t clearing = 8 * (24 * both * both + 500 * both + 4000) + 1000 * claims +
                                 8 * orders + 160 * levels +
                                 nodes * 2 * (16 * states + 24 * claims + 400) + polytope;
  // A node is counted with one of the two it is divided into: the other takes its memory. If there
  // are more, each takes as much, its three blocks' headers and its place among the open ones.
  const auto leaves = static_cast<std::uint64_t>(Engine::most_boxes_of_node(limits.claims));
  const std::uint64_t boxes = nodes * (leaves - 2) * (16 * states + 24 * claims + 1000);
  const std::uint64_t all = kept + 2 * clearing + boxes;
  if (all > std::numeric_limits<std::size_t>::max() / 2) {
    throw Refusal("limits", "need more memory than there can be");
  }
  return static_cast<std::size_t>(all);
}

}  // namespace kpm::c
