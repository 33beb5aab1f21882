// Many books at once: the same bits as one by one, for any rule and number of threads.
#include <cstdint>
#include <limits>
#include <vector>

#include "book/own_maker.hpp"
#include "check.hpp"
#include "kpm/batch.hpp"
#include "kpm/makers.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

class Kept : public BatchSink {
 public:
  explicit Kept(std::size_t books)
      : clearings(books), objectives(books), gains(books), faults(books) {}
  void cleared(std::int64_t book, const Clearing& clearing, double objective,
               double gain) override {
    clearings[static_cast<std::size_t>(book)] = clearing;
    objectives[static_cast<std::size_t>(book)] = objective;
    gains[static_cast<std::size_t>(book)] = gain;
  }
  void refused(std::int64_t book, const Fault& fault) override {
    faults[static_cast<std::size_t>(book)] = fault;
  }

  std::vector<Clearing> clearings;
  std::vector<double> objectives, gains;
  std::vector<Fault> faults;
};

double gain_of(const Market& market, const MakerModel& maker, const Clearing& clearing) {
  return maker_gain(maker, market.inventory, market.payoffs, market.claims,
                    clearing.claim_prices.data(), clearing.net_demand.data());
}

TEST(a_batch_has_the_bits_of_the_loop) {
  test::Random random(1);
  constexpr int kBooks = 40;
  std::vector<test::RandomBook> own;
  own.reserve(kBooks);
  for (int n = 0; n < kBooks; ++n) {
    own.emplace_back(random, 3, 2, 8);
  }
  own[7].quantity[0] = -1.0;
  std::vector<Book> books;
  books.reserve(own.size());
  for (const test::RandomBook& book : own) {
    books.push_back({book.market(), book.book(), nullptr});
  }
  for (const int threads : {1, 3}) {
    BatchSettings settings;
    settings.threads = threads;
    Kept kept(books.size());
    CHECK(clear_many(books.data(), static_cast<std::int64_t>(books.size()), settings, kept));
    for (std::size_t n = 0; n < books.size(); ++n) {
      if (n == 7) {
        CHECK(kept.faults[n].field == Field::kQuantity && kept.faults[n].index == 0);
        continue;
      }
      const Clearing alone = clear(books[n].market, books[n].orders, settings.clear);
      CHECK(!kept.faults[n]);
      CHECK(kept.clearings[n].fills == alone.fills);
      CHECK(kept.clearings[n].state_prices == alone.state_prices);
      CHECK(kept.clearings[n].upper_bound == alone.upper_bound);
      CHECK(kept.gains[n] == gain_of(books[n].market, maker_of(books[n].market), alone));
    }
  }
}

TEST(a_batch_has_the_bits_of_the_loop_under_every_convex_rule) {
  test::Random random(2);
  constexpr std::size_t kBooks = 30;
  std::vector<test::RandomBook> own;
  own.reserve(kBooks);
  std::vector<Array> deltas;
  for (std::size_t n = 0; n < kBooks; ++n) {
    own.emplace_back(random, 3, 2, 8);
    deltas.push_back(random_distribution(random, 3));
  }
  std::vector<MakerModel> makers(kBooks);
  std::vector<Book> books;
  for (std::size_t n = 0; n < kBooks; ++n) {
    makers[n].kind = MakerKind::kStartingOrders;
    makers[n].states = 3;
    makers[n].delta = deltas[n].data();
    books.push_back({own[n].market(), own[n].book(), n % 3 == 0 ? nullptr : &makers[n]});
  }
  own[7].price[0] = std::numeric_limits<double>::quiet_NaN();
  makers[8].kind = MakerKind::kWorstState;
  for (const ConvexRule rule :
       {ConvexRule::kCompetitive, ConvexRule::kPayAsBid, ConvexRule::kPdca}) {
    for (const int threads : {1, 3}) {
      BatchSettings settings;
      settings.threads = threads;
      settings.rule = rule;
      Kept kept(kBooks);
      CHECK(clear_many(books.data(), static_cast<std::int64_t>(kBooks), settings, kept));
      for (std::size_t n = 0; n < kBooks; ++n) {
        const Market& market = books[n].market;
        const MakerModel maker = books[n].maker != nullptr ? makers[n] : maker_of(market);
        if (n == 7) {
          CHECK(kept.faults[n].field == Field::kPrice && kept.faults[n].index == 0);
          continue;
        }
        if (validate_rule(maker.kind, number_of(rule))) {
          CHECK(kept.faults[n].field == Field::kRule);
          continue;
        }
        AuctionSettings alone;
        alone.rule = rule;
        const AuctionClearing cleared = clear_auction(market, maker, books[n].orders, alone);
        CHECK(!kept.faults[n]);
        CHECK(kept.clearings[n].fills == cleared.clearing.fills);
        CHECK(kept.clearings[n].revenue == cleared.clearing.revenue);
        CHECK(kept.clearings[n].upper_bound == cleared.clearing.upper_bound);
        CHECK(kept.objectives[n] == cleared.objective);
        if (rule != ConvexRule::kPayAsBid) {
          CHECK(kept.gains[n] == gain_of(market, maker, cleared.clearing));
        } else {  // all of the surplus is the maker's, too
          const double change =
              cleared.clearing.certainty_equivalent - cleared.clearing.no_trade_equivalent;
          CHECK_NEAR(kept.gains[n], change, 1e-9 * (1.0 + cleared.clearing.scale));
        }
      }
    }
  }
}

TEST(a_maker_without_a_rule_is_a_refused_book_under_maker_optimal_too) {
  test::Random random(3);
  const test::RandomBook own(random, 3, 2, 8);
  MakerModel worst;
  worst.kind = MakerKind::kWorstState;
  worst.states = 3;
  const Book book = {own.market(), own.book(), &worst};
  Kept kept(1);
  CHECK(clear_many(&book, 1, {}, kept));
  CHECK(kept.faults[0].field == Field::kRule);
}

TEST(a_batch_stopped_before_it_began_clears_nothing) {
  test::Random random(4);
  const test::RandomBook own(random, 3, 2, 8);
  const Book book = {own.market(), own.book(), nullptr};
  for (const int threads : {1, 3}) {
    BatchSettings settings;
    settings.threads = threads;
    settings.interrupted = [] { return true; };
    Kept kept(1);
    CHECK(!clear_many(&book, 1, settings, kept));
    CHECK(kept.clearings[0].fills.empty());
  }
}

TEST(an_empty_batch_is_done) {
  Kept kept(0);
  CHECK(clear_many(nullptr, 0, {}, kept));
}

}  // namespace

}  // namespace kpm
