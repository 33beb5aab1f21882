// The published proof.
#include <vector>

#include "book/presolve.hpp"
#include "mechanisms/maker_optimal/certificate.hpp"
#include "numerics/stop_token.hpp"
#include "random_book.hpp"

namespace kpm {

/// A proof of many leaves takes as long as it has corners: each leaf is one more poll.
TEST(a_proof_is_written_leaf_by_leaf_until_told_to_stop) {
  test::Random random(95);
  const test::RandomBook book(random, 5, 4, 30);
  const Market market = book.market();
  const std::vector<Staircase> stairs = compile_staircases(market, book.book());
  const TradedMarket traded(ScaledMarket(market, stairs), stairs);
  const Presolve presolved(traded.market(), stairs, false);
  Node leaf;
  leaf.box = whole(presolved.corners());
  leaf.multipliers = Multipliers(presolved.market());
  leaf.multipliers.set(presolved.market(), 0.0);
  leaf.bound = leaf.multipliers.bound(presolved.corners(), leaf.box);
  const std::vector<Node> leaves(6, leaf);
  const auto written = [&](int wanted, int& polls) {
    polls = 0;
    StopToken token([&] { return polls <= wanted; }, [&](double) { ++polls; });
    Checkpoint checkpoint(token);
    return certify(market, traded, presolved, stairs, nullptr, {}, leaves, checkpoint);
  };
  int polls = 0;
  const Proof whole_proof = written(6, polls);
  CHECK(polls == 6 && whole_proof.certificate.leaves == 6);
  CHECK_NEAR(whole_proof.certificate.bound[5], whole_proof.certificate.bound[0], 0.0);
  bool stopped = false;
  try {
    written(3, polls);
  } catch (const Abandoned&) {
    stopped = true;
  }
  CHECK(stopped && polls == 4);
}

}  // namespace kpm
