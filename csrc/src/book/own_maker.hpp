// A market's own maker, as the functions for makers take it.
#pragma once

#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"

namespace kpm {

/// The Knightian maker whose numbers a market has.
inline MakerModel maker_of(const Market& market) {
  MakerModel maker;
  maker.states = market.states;
  maker.prior = market.prior;
  maker.risk_aversion = market.risk_aversion;
  maker.ambiguity = market.ambiguity;
  return maker;
}

}  // namespace kpm
