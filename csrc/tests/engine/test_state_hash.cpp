// What the hash of an engine's state depends on.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "kpm/engine.hpp"
#include "random_book.hpp"

namespace kpm::test {

TEST(the_hash_depends_on_the_book_alone) {
  Random random(5);
  const RandomBook start(random, 3, 2, 0);
  Engine engine(start.market());
  const std::uint64_t nothing = engine.state_hash();
  engine.add(0, 1, 0.4, 10.0, 1);
  engine.add(1, -1, 0.6, 7.5, 2);
  const std::uint64_t two = engine.state_hash();
  engine.add(0, 1, 0.3, 1.0, 3);
  engine.cancel(3);
  CHECK(engine.state_hash() == two);
  engine.replace(1, 0.4, 20.0);  // to the end
  CHECK(engine.state_hash() != two);
  engine.replace(1, 0.4, 10.0);  // where it is
  engine.cancel(2);
  engine.add(1, -1, 0.6, 7.5, 2);
  CHECK(engine.state_hash() == two);
  engine.remove_all();
  CHECK(engine.state_hash() == nothing);
}

TEST(zero_has_no_sign) {
  Random random(9);
  RandomBook plain(random, 4, 3, 40);
  plain.ambiguity = 0.0;
  plain.inventory.assign(4, 0.0);
  for (std::size_t j = 0; j < plain.price.size(); j += 2) {
    plain.price[j] = 0.0;
  }
  plain.quantity[1] = 0.0;
  plain.payoffs[1] = plain.payoffs[6] = 0.0;
  const auto negated = [](RandomBook book) {
    const auto minus = [](double& number) { number = number == 0.0 ? -0.0 : number; };
    minus(book.ambiguity);
    for (auto* const numbers : {&book.payoffs, &book.inventory, &book.price, &book.quantity}) {
      std::for_each(numbers->begin(), numbers->end(), minus);
    }
    return book;
  };
  const RandomBook signed_zeros = negated(plain);
  const auto engine_of = [](const RandomBook& book) {
    Engine engine(book.market());
    for (std::size_t j = 0; j < book.claim.size(); ++j) {
      CHECK(!engine.add(book.claim[j], book.side[j], book.price[j], book.quantity[j],
                        static_cast<std::int64_t>(j)));
    }
    return engine;
  };
  Engine engine = engine_of(plain);
  Engine other = engine_of(signed_zeros);
  CHECK(engine.state_hash() == other.state_hash());
  ClearSettings settings;
  settings.threads = 1;
  const Clearing clearing = other.clear(settings);
  const Clearing same = engine.clear(settings);  // but for the signs of its own zeros
  CHECK(same.claim_prices == clearing.claim_prices && same.fills == clearing.fills);
  CHECK(same.state_prices == clearing.state_prices && same.payoff == clearing.payoff);
  std::vector<std::uint8_t> bytes(other.snapshot_size());
  other.snapshot(bytes.data());
  CHECK(!engine.restore(bytes.data(), bytes.size()));
  CHECK(engine.state_hash() == other.state_hash());
  // Of a polytope's priors, too.
  for (const double zero : {0.0, -0.0}) {
    const double priors[] = {zero, 0.25, 0.25, 0.5, 0.5, zero, zero, 0.5};
    MakerModel maker;
    maker.kind = MakerKind::kPolytope;
    maker.states = 4;
    maker.vertices = priors;
    maker.priors = 2;
    maker.risk_aversion = zero;
    CHECK(!(std::signbit(zero) ? engine : other).set_market(plain.market(), maker));
  }
  CHECK(engine.state_hash() == other.state_hash());
}

/// The maker to come may be made of the engine's own.
TEST(a_part_of_the_maker_makes_an_engine_like_any_other) {
  Random random(11);
  const RandomBook book(random, 3, 2, 0);
  const double priors[] = {0.2, 0.3, 0.5, 0.5, 0.3, 0.2};
  MakerModel polytope;
  polytope.kind = MakerKind::kPolytope;
  polytope.states = 3;
  polytope.vertices = priors;
  polytope.priors = 2;
  for (const int row : {0, 1}) {
    MakerModel utility;
    utility.kind = MakerKind::kUtility;
    utility.states = 3;
    utility.prior = priors + 3 * row;
    utility.wealth = 1e6;
    Engine direct(book.market(), utility);
    Engine changed(book.market(), polytope);
    utility.prior = changed.maker().vertices + 3 * row;
    CHECK(!changed.set_market(changed.market(), utility));
    CHECK(changed.state_hash() == direct.state_hash());
    CHECK(std::equal(priors + 3 * row, priors + 3 * row + 3, changed.maker().prior));
  }
}

}  // namespace kpm::test
