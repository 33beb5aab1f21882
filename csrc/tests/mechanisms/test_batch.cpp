// Many books at once: the same bits as one by one, for any number of threads.
#include <vector>

#include "check.hpp"
#include "kpm/batch.hpp"
#include "kpm/makers.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

class Kept : public BatchSink {
 public:
  explicit Kept(std::size_t books) : clearings(books), gains(books), faults(books) {}
  void cleared(std::int64_t book, const Clearing& clearing, double gain) override {
    clearings[static_cast<std::size_t>(book)] = clearing;
    gains[static_cast<std::size_t>(book)] = gain;
  }
  void refused(std::int64_t book, const Fault& fault) override {
    faults[static_cast<std::size_t>(book)] = fault;
  }

  std::vector<Clearing> clearings;
  std::vector<double> gains;
  std::vector<Fault> faults;
};

double gain_of(const Market& market, const Clearing& clearing) {
  MakerModel maker;
  maker.states = market.states;
  maker.prior = market.prior;
  maker.risk_aversion = market.risk_aversion;
  maker.ambiguity = market.ambiguity;
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
    books.push_back({book.market(), book.book()});
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
      CHECK(kept.gains[n] == gain_of(books[n].market, alone));
    }
  }
}

TEST(an_empty_batch_is_done) {
  Kept kept(0);
  CHECK(clear_many(nullptr, 0, {}, kept));
}

}  // namespace

}  // namespace kpm
