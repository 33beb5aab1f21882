// How much memory an engine of given limits needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kpm/engine.hpp"
#include "kpm/kpm.h"

namespace kpm::c {

constexpr std::int64_t kMostOrders = 1000000000;
constexpr std::size_t kEngineAlignment = 64;

/// kpm_limits, with its defaults filled in and every one within its range.
struct Limits {
  int states;
  int claims;
  std::int64_t orders;
  std::int64_t levels;
  std::int64_t nodes;
  int priors;

  EngineLimits engine() const { return {orders, levels, true, states, nodes, priors}; }
};

Limits limits_of(const kpm_limits* given);

/// Bytes of a heap for an engine: for what it keeps, exactly; for a clearing, what it was measured
/// to need at most with as much again. Where a clearing needs more, it makes do with fewer nodes.
std::size_t engine_memory(const Limits& limits);

}  // namespace kpm::c
