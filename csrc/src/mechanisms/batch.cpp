// Hands out books to a team of threads, a few at a time.
#include "kpm/batch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>

#include "mechanisms/trading_gain.hpp"
#include "search/team.hpp"

namespace kpm {

namespace {

/// Books that a thread takes at a time: few enough for all threads to end together, many enough for
/// them not to contend for the counter.
std::int64_t portion(std::int64_t count, int threads) {
  constexpr std::int64_t kMost = 16;
  constexpr std::int64_t kPortions = 32;  // for each thread, at least
  return std::clamp<std::int64_t>(count / (kPortions * threads), 1, kMost);
}

/// One per thread: consecutive books are often of one market, whose maker is made once.
class Gains {
 public:
  double of(const Market& market, const Clearing& clearing) {
    if (!gain_ || !is_same_maker(market)) {
      maker_.states = market.states;
      maker_.prior = market.prior;
      maker_.risk_aversion = market.risk_aversion;
      maker_.ambiguity = market.ambiguity;
      inventory_ = market.inventory;
      gain_.emplace(maker_, inventory_);
    }
    return gain_->of(market.payoffs, market.claims, clearing.claim_prices.data(),
                     clearing.net_demand.data(), 0.0);
  }

 private:
  /// By address: the books are borrowed for as long as the batch takes.
  bool is_same_maker(const Market& market) const {
    return maker_.states == market.states && maker_.prior == market.prior &&
           maker_.risk_aversion == market.risk_aversion && maker_.ambiguity == market.ambiguity &&
           inventory_ == market.inventory;
  }

  MakerModel maker_;
  const double* inventory_ = nullptr;
  std::optional<TradingGain> gain_;
};

void clear_one(const Book& book, std::int64_t index, const ClearSettings& settings, Gains& gains,
               BatchSink& sink) {
  try {
    const Clearing clearing = clear(book.market, book.orders, settings);
    sink.cleared(index, clearing, gains.of(book.market, clearing));
  } catch (const InvalidInput& error) {
    sink.refused(index, error.fault());
  }
}

}  // namespace

bool clear_many(const Book* books, std::int64_t count, const BatchSettings& settings,
                BatchSink& sink) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPoll = std::chrono::milliseconds(5);
  const Searching counted;
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  std::atomic<bool> interrupted{false};
  const int others = static_cast<int>(std::min<std::int64_t>(
      helpers(settings.threads, Clock::now(), 0.0), std::max<std::int64_t>(count - 1, 0)));
  const std::int64_t step = portion(count, others + 1);
  auto asked = Clock::now();
  const auto poll = [&] {  // on the calling thread alone
    const auto now = Clock::now();
    if (now - asked < kPoll) {
      return;
    }
    asked = now;
    if (settings.interrupted && settings.interrupted()) {
      interrupted = true;
      stopped = true;
    }
  };
  const auto work = [&](int member) {
    ClearSettings own = settings.clear;
    own.threads = 1;
    own.monitor = nullptr;
    own.interrupted = [&, member] {
      if (member == 0) {
        poll();
      }
      return stopped.load();
    };
    Gains gains;
    for (std::int64_t begin = next.fetch_add(step); begin < count; begin = next.fetch_add(step)) {
      const std::int64_t end = std::min(begin + step, count);
      for (std::int64_t book = begin; book < end; ++book) {
        if (member == 0) {
          poll();
        }
        if (stopped) {
          return;
        }
        clear_one(books[book], book, own, gains, sink);
      }
    }
  };
  run_team(others, work, poll, [&] { stopped = true; });
  return !interrupted;
}

}  // namespace kpm
