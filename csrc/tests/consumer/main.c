/* A clearing by hand: two states, a bid that the maker takes. In C99. */
#include <kpm/kpm.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  const double payoffs[] = {1.0, 0.0};
  const double prior[] = {0.5, 0.5};
  const double inventory[] = {0.0, 0.0};
  int64_t claim[] = {0};
  const int8_t side[] = {1};
  const double price[] = {0.6};
  const double quantity[] = {0.1};
  const kpm_market market = {.struct_size = sizeof market,
                             .states = 2,
                             .claims = 1,
                             .payoffs = payoffs,
                             .prior = prior,
                             .inventory = inventory,
                             .risk_aversion = 1.0};
  const kpm_orders orders = {.struct_size = sizeof orders,
                             .count = 1,
                             .claim = claim,
                             .side = side,
                             .price = price,
                             .quantity = quantity};
  double fill = 0.0;
  kpm_result result = {.struct_size = sizeof result, .fills = &fill};
  kpm_error error = {.struct_size = sizeof error};
  /* 0.06 for sure, less what owing 0.1 in one of two states costs: ln((e^0.1 + 1) / 2). */
  const double expected = 0.06 - log(0.5 * (exp(0.1) + 1.0));

  if (kpm_abi_version() != KPM_ABI_VERSION) return 1;
  if (kpm_clear(&market, &orders, NULL, &result) != KPM_OK) return 2;
  printf("%.17g filled for %.17g\n", fill, result.certainty_equivalent);
  if (result.status != KPM_OPTIMAL || fill < 0.1 || fill > 0.1) return 3;
  if (fabs(result.certainty_equivalent - expected) > 1e-9) return 4;

  claim[0] = 77;
  if (kpm_clear(&market, &orders, NULL, &result) != KPM_INVALID_INPUT) return 5;
  if (kpm_last_error(&error) != KPM_INVALID_INPUT) return 6;
  printf("%s\n", error.message);
  return strcmp(error.field, "claim") != 0 || error.index != 0 || error.value < 77.0 ? 7 : 0;
}
