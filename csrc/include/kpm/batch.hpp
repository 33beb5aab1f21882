// Many books at once, each on one thread from beginning to end, one book per thread at a time. The
// answers have the bits of kpm::clear and kpm::clear_auction, whatever the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "kpm/auction.hpp"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"
#include "kpm/validation.hpp"

namespace kpm {

/// A book of a batch. Arrays are borrowed.
struct Book {
  Market market;
  Orders orders;
  const MakerModel* maker = nullptr;  ///< of the convex rules; null: the market's, Knightian
};

/// Takes the answers. Called concurrently by all threads, once for each book processed; must not
/// throw.
class BatchSink {
 public:
  BatchSink() = default;
  BatchSink(const BatchSink&) = delete;
  BatchSink& operator=(const BatchSink&) = delete;
  virtual ~BatchSink() = default;

  /// `objective`: what `clearing.upper_bound` bounds, money: of a convex rule as AuctionClearing
  /// has it, else the certainty equivalent. `gain`: what trading is worth to the maker, money, as
  /// computed by maker_gain().
  virtual void cleared(std::int64_t book, const Clearing& clearing, double objective,
                       double gain) = 0;
  virtual void refused(std::int64_t book, const Fault& fault) = 0;  ///< input that breaks a rule
};

struct BatchSettings {
  ClearSettings clear;  ///< of every book; its threads, monitor and interrupted are ignored
  /// Without a value (8). Of `clear`, the convex rules take tolerance, time limit and allocation.
  std::optional<ConvexRule> rule;
  int threads = 0;  ///< 0: the process's processors that no other clearing works on
  std::function<bool()> interrupted;  ///< polled by the calling thread: true stops
};

/// Clears `count` books. Returns false if it was interrupted, also before it began: books already
/// begun then give their best clearing so far (Status::kInterrupted), and the others do not reach
/// the sink.
bool clear_many(const Book* books, std::int64_t count, const BatchSettings& settings,
                BatchSink& sink);

}  // namespace kpm
