// From the structs of kpm.h to those of the core, validated.
#pragma once

#include <cstdint>

#include "kpm/kpm.h"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"
#include "kpm/validation.hpp"

namespace kpm::c {

/// A market and its maker. A Knightian one's numbers are the market's, too.
struct GivenMarket {
  Market market;
  MakerModel maker;
  bool by_itself = false;  ///< whether the maker was given by itself, and has been validated
};

GivenMarket market_of(const kpm_market* given);
Orders orders_of(const kpm_orders* given);

/// How to clear: by a search, or by a convex rule.
struct GivenSettings {
  ClearSettings search;
  std::int32_t rule = kMakerOptimal;
  bool cold = false;  ///< whether an engine is to forget its last clearing

  AuctionSettings auction() const;
};

/// Null is the defaults.
GivenSettings settings_of(const kpm_settings* given);

/// Its numbers and where its arrays are. They are not read: how many states it says it has is to be
/// compared with its market's first.
MakerModel read_maker(const kpm_maker* given);

/// A maker by itself, validated.
MakerModel maker_of(const kpm_maker* given);

}  // namespace kpm::c
