#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "book/canonical_order.hpp"
#include "book/maker_weights.hpp"
#include "book/own_maker.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

std::vector<int> shuffled(test::Random& random, int count) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (int n = count - 1; n > 0; --n) {
    std::swap(order[static_cast<std::size_t>(n)],
              order[static_cast<std::size_t>(random.below(n + 1))]);
  }
  return order;
}

/// The book with its claims and states listed in another order.
test::RandomBook listed(const test::RandomBook& book, const std::vector<int>& claims,
                        const std::vector<int>& states) {
  test::RandomBook other = book;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto from = static_cast<std::size_t>(states[i]);
    other.prior[i] = book.prior[from];
    other.inventory[i] = book.inventory[from];
    for (std::size_t k = 0; k < claims.size(); ++k) {
      other.payoffs[k * states.size() + i] = book.payoffs_of(claims[k])[from];
    }
  }
  for (std::int64_t& claim : other.claim) {
    claim = std::find(claims.begin(), claims.end(), static_cast<int>(claim)) - claims.begin();
  }
  return other;
}

bool same(const Figures& a, const Figures& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void check_same_bits(const CanonicalBook& a, const CanonicalBook& b) {
  const Market& one = a.market();
  const Market& other = b.market();
  const MakerWeights weights = weights_of(a.maker());
  CHECK(std::equal(weights.first, weights.first + std::ptrdiff_t{weights.rows} * one.states,
                   weights_of(b.maker()).first));
  CHECK(std::equal(one.inventory, one.inventory + one.states, other.inventory));
  CHECK(std::equal(one.payoffs, one.payoffs + one.claims * one.states, other.payoffs));
  for (std::size_t k = 0; k < a.stairs().size(); ++k) {
    CHECK(same(a.stairs()[k].limit, b.stairs()[k].limit));
    CHECK(same(a.stairs()[k].demand, b.stairs()[k].demand));
    CHECK(same(a.stairs()[k].bought, b.stairs()[k].bought));
  }
}

void check_every_order(test::Random& random, const test::RandomBook& book) {
  const CanonicalBook one(book.market(), compile_staircases(book.market(), book.book()));
  for (int again = 0; again < 4; ++again) {
    const test::RandomBook other =
        listed(book, shuffled(random, book.claims), shuffled(random, book.states));
    const CanonicalBook two(other.market(), compile_staircases(other.market(), other.book()));
    check_same_bits(one, two);
  }
}

/// A maker that owns its numbers.
struct OwnMaker {
  MakerModel model(int states) const {
    MakerModel maker;
    maker.kind = kind;
    maker.states = states;
    maker.priors = static_cast<int>(weights.size()) / states;
    set_weights(maker, weights.data());
    return maker;
  }

  MakerKind kind;
  std::vector<double> weights;  // (rows, states)
};

OwnMaker listed(const OwnMaker& maker, const std::vector<int>& rows,
                const std::vector<int>& states) {
  OwnMaker other{maker.kind, {}};
  for (const int row : rows) {
    for (const int state : states) {
      other.weights.push_back(maker.weights[static_cast<std::size_t>(row) * states.size() +
                                            static_cast<std::size_t>(state)]);
    }
  }
  return other;
}

/// Claims that each pay in two neighbouring states of rings of the given sizes.
test::RandomBook rings(test::Random& random, const std::vector<int>& sizes) {
  const int states = std::accumulate(sizes.begin(), sizes.end(), 0);
  test::RandomBook book(random, states, states, 0);
  std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
  std::fill(book.prior.begin(), book.prior.end(), 1.0 / states);
  std::fill(book.inventory.begin(), book.inventory.end(), 0.0);
  int begin = 0;
  for (const int size : sizes) {
    for (int n = 0; n < size; ++n) {
      double* const row = book.payoffs.data() + std::ptrdiff_t{begin + n} * states;
      row[begin + n] = row[begin + (n + 1) % size] = 1.0;
    }
    begin += size;
  }
  return book;
}

}  // namespace

TEST(a_canonical_book_does_not_depend_on_how_it_is_listed) {
  test::Random random(31);
  for (int trial = 0; trial < 300; ++trial) {
    test::RandomBook book(random, 2 + random.below(6), 1 + random.below(6), random.below(30));
    if (trial % 3 != 0) {  // few distinct numbers: much is tied
      std::fill(book.prior.begin(), book.prior.end(), 1.0 / book.states);
      std::fill(book.inventory.begin(), book.inventory.end(), 0.0);
      for (double& payoff : book.payoffs) {
        payoff = random.below(2);
      }
    }
    if (trial % 3 == 2) {
      book.claim.clear();
      book.side.clear();
      book.price.clear();
      book.quantity.clear();
    }
    check_every_order(random, book);
  }
}

TEST(states_are_told_apart_by_what_their_maker_knows_of_them) {
  test::Random random(34);
  for (int trial = 0; trial < 300; ++trial) {
    test::RandomBook book(random, 2 + random.below(6), 1 + random.below(6), random.below(20));
    std::fill(book.inventory.begin(), book.inventory.end(), 0.0);
    for (double& payoff : book.payoffs) {
      payoff = random.below(2);
    }
    constexpr MakerKind kKinds[] = {MakerKind::kStartingOrders, MakerKind::kWorstState,
                                    MakerKind::kPolytope};
    OwnMaker maker{kKinds[trial % 3], {}};
    const int rows = maker.kind == MakerKind::kPolytope     ? 1 + random.below(6)
                     : maker.kind == MakerKind::kWorstState ? 0
                                                            : 1;
    for (int n = 0; n < rows * book.states; ++n) {
      maker.weights.push_back(0.25 * random.below(3));
    }
    const auto canonical = [](const test::RandomBook& of, const OwnMaker& with) {
      Market market = of.market();
      market.prior = nullptr;  // whoever has another maker need not have one
      return std::make_unique<CanonicalBook>(market, with.model(of.states),
                                             compile_staircases(of.market(), of.book()));
    };
    const auto one = canonical(book, maker);
    for (int again = 0; again < 4; ++again) {
      const std::vector<int> states = shuffled(random, book.states);
      check_same_bits(*one, *canonical(listed(book, shuffled(random, book.claims), states),
                                       listed(maker, shuffled(random, rows), states)));
    }
  }
}

TEST(claims_that_refined_colours_leave_tied_are_told_apart_one_by_one) {
  test::Random random(32);
  for (const std::vector<int>& sizes :
       {std::vector<int>{6, 3, 3}, {4, 8}, {3, 4, 5}, {7}, {3, 3, 3, 3}, {5, 5}}) {
    check_every_order(random, rings(random, sizes));
  }
}

TEST(a_large_symmetric_book_is_put_into_an_order) {
  test::Random random(33);
  const test::RandomBook book = rings(random, {100, 100});
  const CanonicalBook canonical(book.market(), compile_staircases(book.market(), book.book()));
  for (const std::vector<int>* order : {&canonical.claims(), &canonical.states()}) {
    std::vector<int> sorted = *order;
    std::sort(sorted.begin(), sorted.end());
    for (int n = 0; n < 200; ++n) {
      CHECK(sorted[static_cast<std::size_t>(n)] == n);
    }
  }
}

TEST(figures_come_back_in_the_callers_order) {
  std::vector<double> figures{1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
  std::vector<double> scratch;
  restore_order({2, 0, 1}, figures, scratch);
  CHECK((figures == std::vector<double>{2.0, 3.0, 1.0, 5.0, 6.0, 4.0}));
}

/// To tell apart what differs only by how far off the ends of a long path are takes as many
/// readings of the payoffs as it is long, and no limit is polled in between.
TEST(the_middle_of_a_long_path_keeps_the_given_order) {
  constexpr int kLong = 400;
  test::Random random(7);
  test::RandomBook book(random, kLong + 1, kLong, 0);
  std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
  std::fill(book.prior.begin(), book.prior.end(), 1.0 / (kLong + 1));
  std::fill(book.inventory.begin(), book.inventory.end(), 0.0);
  for (int k = 0; k < kLong; ++k) {
    double* const row = book.payoffs.data() + std::ptrdiff_t{k} * book.states;
    row[k] = row[k + 1] = 1.0;
  }
  const CanonicalOrder order = canonical_order(book.market(), maker_of(book.market()),
                                               compile_staircases(book.market(), book.book()));
  std::vector<int> middle;
  for (const int k : order.claims) {
    if (k >= kLong / 4 && k < 3 * kLong / 4) {
      middle.push_back(k);
    }
  }
  CHECK(middle.size() == kLong / 2);
  CHECK(std::is_sorted(middle.begin(), middle.end()));
}

}  // namespace kpm
