// Structs of other versions than the library's.
#include <cstring>
#include <limits>
#include <string>

#include "c_book.hpp"

namespace kpm {
namespace {

/// A struct as a later header has it: more members at the end.
template <class T>
struct Later {
  T known{};
  unsigned char more[256] = {};

  explicit Later(const T& now) : known(now) { known.struct_size = sizeof *this; }
};

}  // namespace

TEST(the_abi_is_that_of_the_header) {
  CHECK(kpm_abi_version() == KPM_ABI_VERSION);
  CHECK(std::strlen(kpm_version()) > 0);
}

TEST(a_later_program_s_structs_are_taken_unless_they_set_new_members) {
  test::Random random(71);
  const test::CBook book(random, 4, 3, 12);
  test::CResult expected(book.book);
  CHECK(book.clear(expected.result) == KPM_OK);

  const Later market(book.market());
  const Later orders(book.orders());
  Later<kpm_settings> settings(book.settings);
  test::CResult arrays(book.book);
  Later result(arrays.result);
  CHECK(kpm_clear(&market.known, &orders.known, &settings.known, &result.known) == KPM_OK);
  CHECK(arrays.fills == expected.fills);
  CHECK(result.known.certainty_equivalent == expected.result.certainty_equivalent);
  CHECK(result.known.struct_size == sizeof result);

  settings.more[255] = 1;
  CHECK(kpm_clear(&market.known, &orders.known, &settings.known, &result.known) ==
        KPM_INVALID_INPUT);
  CHECK(std::string(test::last_error().field) == "settings");
}

TEST(settings_are_initialised_within_the_caller_s_size_only) {
  unsigned char bytes[2 * sizeof(kpm_settings)];
  std::memset(bytes, 0x5A, sizeof bytes);
  auto* const settings = reinterpret_cast<kpm_settings*>(bytes);
  kpm_settings_init(settings, sizeof(kpm_settings));
  CHECK(settings->struct_size == sizeof(kpm_settings) && settings->threads == 1);
  CHECK(settings->tolerance == 1e-8 && settings->time_limit == kInfinity);
  CHECK(settings->stop == nullptr && settings->node_limit == 0);
  for (std::size_t at = sizeof(kpm_settings); at < sizeof bytes; ++at) {
    CHECK(bytes[at] == 0x5A);
  }
  kpm_settings_init(settings, sizeof bytes);  // a later program's: the rest is zero, a default
  for (std::size_t at = sizeof(kpm_settings); at < sizeof bytes; ++at) {
    CHECK(bytes[at] == 0);
  }
  kpm_settings_init(nullptr, sizeof(kpm_settings));
  kpm_settings_init(settings, 3);
}

TEST(nothing_is_written_beyond_the_caller_s_size) {
  test::Random random(72);
  const test::CBook book(random, 3, 2, 8);
  struct {
    kpm_result result;
    unsigned char beyond[64];
  } room;
  std::memset(&room, 0x5A, sizeof room);
  room.result = {};
  room.result.struct_size = sizeof(kpm_result);
  CHECK(book.clear(room.result) == KPM_OK);
  for (const unsigned char byte : room.beyond) {
    CHECK(byte == 0x5A);
  }
  struct {
    kpm_error error;
    unsigned char beyond[64];
  } said;
  std::memset(&said, 0x5A, sizeof said);
  said.error.struct_size = 24;  // the code and the field alone
  kpm_clear(nullptr, nullptr, nullptr, nullptr);
  CHECK(kpm_last_error(&said.error) == KPM_INVALID_INPUT);
  CHECK(said.error.code == KPM_INVALID_INPUT && std::string(said.error.field) == "market");
  CHECK(said.error.message[0] == 0x5A);
  for (const unsigned char byte : said.beyond) {
    CHECK(byte == 0x5A);
  }
}

}  // namespace kpm
