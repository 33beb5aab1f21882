// A clearing by hand: two states, a bid that the maker takes.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <kpm/kpm.hpp>

int main() {
  const double payoffs[] = {1.0, 0.0};
  const double prior[] = {0.5, 0.5};
  const double inventory[] = {0.0, 0.0};
  const std::int64_t claim[] = {0};
  const std::int8_t side[] = {1};
  const double price[] = {0.6};
  const double quantity[] = {0.1};
  const kpm::Market market{2, 1, payoffs, prior, inventory, 1.0, 0.0};
  const kpm::Orders orders{1, claim, side, price, quantity, nullptr};
  const kpm::Clearing clearing = kpm::clear(market, orders, {});
  // 0.06 for sure, less what owing 0.1 in one of two states costs: ln((e^0.1 + 1) / 2).
  const double expected = 0.06 - std::log(0.5 * (std::exp(0.1) + 1.0));
  std::printf("%.17g filled for %.17g\n", clearing.fills[0], clearing.certainty_equivalent);
  return clearing.status == kpm::Status::kOptimal && clearing.fills[0] == 0.1 &&
                 std::abs(clearing.certainty_equivalent - expected) < 1e-9
             ? 0
             : 1;
}
