// The best clearings of a compiled book, and the bound that proves them: by enumeration or by
// branch and bound.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "book/corners.hpp"
#include "book/presolve.hpp"
#include "book/staircase.hpp"
#include "book/traded_market.hpp"
#include "kpm/kpm.hpp"
#include "mechanisms/maker_optimal/stakes.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "numerics/stop_token.hpp"
#include "search/candidate.hpp"

namespace kpm {

/// What a search found, whichever it was.
struct Found {
  Status status = Status::kOptimal;
  std::vector<Candidate> candidates;
  std::vector<Candidate> reserve;
  double upper_bound = kInfinity;
  Progress progress;
  std::int64_t iterations = 0;
  int threads = 1;
  bool coarse = false;           ///< the unit of money is too large; there is a smaller one
  std::vector<Corners> corners;  ///< of the whole book; none where it was cut or claims were merged
  double proof_rounding = 0.0;   ///< money that the certificate's bounds may hide
};

/// What every search of a book needs.
struct SearchTask {
  const ClearSettings& settings;
  StopToken& token;
  StopToken& interruption;  ///< for what follows the search: only an interruption ends it
  std::function<void(const Progress&)> report;
  std::function<bool(double)> too_coarse;  ///< whether a stake, scaled, wants a smaller unit
};

Found enumerate(const ScaledMarket& scaled, const std::vector<Staircase>& stairs,
                const Stakes& stakes, double cells, const SearchTask& task);

/// `book`: of the traded market. `whole`: the book that `tradable`, null if all of it is searched,
/// was cut from.
Found prove(const Market& market, const TradedMarket& traded, Presolve& book,
            const std::vector<Staircase>& whole, const TradableBook* tradable, const Stakes& stakes,
            const SearchTask& task, const std::vector<double>& riskless, Certificate& certificate);

}  // namespace kpm
