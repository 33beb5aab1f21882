// CPCAM with a claim for each state: one scalar root instead of an interior-point method.
#pragma once

#include <cstdint>
#include <optional>

#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// The optimum where starting orders meet Arrow-Debreu claims, each on a state of its own; nothing
/// for other makers and books. A state's price follows from t alone,
///   g_i (t + w_i - y_i(g_i)) = delta_i,   y_i the claim's net demand,
/// whose left side rises with g_i; t is where the prices add up to one. O(N log J) an evaluation.
/// `iterations` is raised by how many there were.
std::optional<AuctionPoint> find_arrow_debreu(const Auction& auction, std::int64_t& iterations);

}  // namespace kpm
