// Hands out books to a team of threads, a few at a time.
#include "kpm/batch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "book/own_maker.hpp"
#include "mechanisms/trading_gain.hpp"
#include "numerics/extremes.hpp"
#include "numerics/twofold.hpp"
#include "search/team.hpp"

namespace kpm {

namespace {

/// How many threads may join the calling one, which searches as well.
int helpers_of(int threads) {
  const Searching counted;
  return helpers(threads, std::chrono::steady_clock::now(), 0.0);
}

/// Books that a thread takes at a time: few enough for all threads to end together, many enough for
/// them not to contend for the counter.
std::int64_t portion(std::int64_t count, int threads) {
  constexpr std::int64_t kMost = 16;
  constexpr std::int64_t kPortions = 32;  // for each thread, at least
  return std::clamp<std::int64_t>(count / (kPortions * threads), 1, kMost);
}

/// What orders that pay their limits pay above the clearing prices, money. The sum has 32 digits:
/// it is the one that Python makes of the same terms exactly.
double surplus(const Market& market, const Orders& orders, const Clearing& clearing) {
  std::vector<std::pair<double, double>> range;
  for (std::int64_t k = 0; k < market.claims; ++k) {
    const double* const row = market.payoffs + k * market.states;
    const auto [least, most] = extremes_of(row, market.states);
    range.emplace_back(least, most);
  }
  Twofold sum;
  for (std::int64_t j = 0; j < orders.count; ++j) {
    const auto claim = static_cast<std::size_t>(orders.claim[j]);
    const double limit = std::clamp(orders.price[j], range[claim].first, range[claim].second);
    const double spared = orders.side[j] * (limit - clearing.claim_prices[claim]);
    sum += spared * clearing.fills[static_cast<std::size_t>(j)];
  }
  return std::max(0.0, static_cast<double>(sum));
}

/// One per thread: consecutive books are often of one market, whose maker is made once.
class Gains {
 public:
  double of(const Market& market, const MakerModel& maker, const Clearing& clearing, double extra) {
    if (!gain_ || !is_same(market, maker)) {
      maker_ = maker;
      inventory_ = market.inventory;
      gain_.emplace(maker_, inventory_);
    }
    return gain_->of(market.payoffs, market.claims, clearing.claim_prices.data(),
                     clearing.net_demand.data(), extra);
  }

 private:
  /// By address: the books are borrowed for as long as the batch takes.
  bool is_same(const Market& market, const MakerModel& maker) const {
    return inventory_ == market.inventory && maker_.kind == maker.kind &&
           maker_.states == maker.states && maker_.prior == maker.prior &&
           maker_.risk_aversion == maker.risk_aversion && maker_.ambiguity == maker.ambiguity &&
           maker_.delta == maker.delta && maker_.priors == maker.priors &&
           maker_.vertices == maker.vertices && maker_.wealth == maker.wealth &&
           maker_.curvature == maker.curvature;
  }

  MakerModel maker_;
  const double* inventory_ = nullptr;
  std::optional<TradingGain> gain_;
};

/// A batch's work on one book, by its rule.
class Clearer {
 public:
  Clearer(const BatchSettings& settings, std::function<bool()> interrupted)
      : rule_(settings.rule), clear_(settings.clear) {
    clear_.threads = 1;
    clear_.monitor = nullptr;
    clear_.interrupted = std::move(interrupted);
    auction_.rule = rule_.value_or(ConvexRule::kCompetitive);
    auction_.tolerance = clear_.tolerance;
    auction_.time_limit = clear_.time_limit;
    auction_.allocation = clear_.allocation;
    auction_.interrupted = clear_.interrupted;
  }

  void clear(const Book& book, std::int64_t index, BatchSink& sink) {
    try {
      const MakerModel own = maker_of(book.market);
      const MakerModel& maker = book.maker != nullptr ? *book.maker : own;
      if (rule_) {
        const AuctionClearing cleared = clear_auction(book.market, maker, book.orders, auction_);
        const double extra = rule_ == ConvexRule::kPayAsBid
                                 ? surplus(book.market, book.orders, cleared.clearing)
                                 : 0.0;
        sink.cleared(index, cleared.clearing, cleared.objective,
                     gains_.of(book.market, maker, cleared.clearing, extra));
      } else {
        require(validate_rule(maker.kind, kMakerOptimal));
        const Clearing clearing = kpm::clear(book.market, book.orders, clear_);
        sink.cleared(index, clearing, clearing.certainty_equivalent,
                     gains_.of(book.market, own, clearing, 0.0));
      }
    } catch (const InvalidInput& error) {
      sink.refused(index, error.fault());
    }
  }

 private:
  std::optional<ConvexRule> rule_;
  ClearSettings clear_;
  AuctionSettings auction_;
  Gains gains_;
};

}  // namespace

bool clear_many(const Book* books, std::int64_t count, const BatchSettings& settings,
                BatchSink& sink) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPoll = std::chrono::milliseconds(5);
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  std::atomic<bool> interrupted{false};
  const int others = static_cast<int>(
      std::min<std::int64_t>(helpers_of(settings.threads), std::max<std::int64_t>(count - 1, 0)));
  const std::int64_t step = portion(count, others + 1);
  auto next_poll = Clock::now();  // at once: it may have been stopped before
  const auto poll = [&] {         // on the calling thread alone
    const auto now = Clock::now();
    if (now < next_poll) {
      return;
    }
    next_poll = now + kPoll;
    if (settings.interrupted && settings.interrupted()) {
      interrupted = true;
      stopped = true;
    }
  };
  const auto work = [&](int member) {
    Clearer clearer(settings, [&, member] {
      if (member == 0) {
        poll();
      }
      return stopped.load();
    });
    for (std::int64_t begin = next.fetch_add(step); begin < count; begin = next.fetch_add(step)) {
      const std::int64_t end = std::min(begin + step, count);
      for (std::int64_t book = begin; book < end; ++book) {
        if (member == 0) {
          poll();
        }
        if (stopped) {
          return;
        }
        clearer.clear(books[book], book, sink);
      }
    }
  };
  poll();
  run_team(others, false, work, poll, [&] { stopped = true; });
  return !interrupted;
}

}  // namespace kpm
