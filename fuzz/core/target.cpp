// The libFuzzer target: bytes, a book, its clearings, and what must hold for them.
#include <cstddef>
#include <cstdint>

#include "book.hpp"
#include "invariants.hpp"
#include "kpm/kpm.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr double kCellsToEnumerate = 400.0;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Book book(data, size);
  const fuzz::Slack slack(book);
  kpm::ClearSettings settings = book.settings();
  const kpm::Clearing clearing = kpm::clear(book.market(), book.orders(), settings);
  fuzz::check_clearing(book, slack, clearing);
  fuzz::check_bound(book, slack, clearing);

  kpm::ClearSettings team = settings;  // from the first round on
  team.threads = 2;
  team.thread_delay = 0.0;
  if (book.two_threads) {
    fuzz::check_same_bits(clearing, kpm::clear(book.market(), book.orders(), team));
  }

  const auto pieces = kpm::count_pieces(book.market(), book.orders());
  double cells = 1.0;
  std::vector<std::int64_t> cell;
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    cells *= static_cast<double>(pieces[k]);
    cell.push_back(book.cell[k] % pieces[k]);
  }
  fuzz::check_cell(book, slack,
                   kpm::solve_cell(book.market(), book.orders(), cell.data(), kpm::CellSettings{}),
                   clearing);
  if (cells <= kCellsToEnumerate) {
    settings.method = kpm::Method::kEnumerate;
    settings.certificate = false;
    const kpm::Clearing enumerated = kpm::clear(book.market(), book.orders(), settings);
    fuzz::check_clearing(book, slack, enumerated);
    fuzz::check_agreement(slack, clearing, enumerated);
    if (book.two_threads) {
      team.method = settings.method;
      team.certificate = false;
      fuzz::check_same_bits(enumerated, kpm::clear(book.market(), book.orders(), team));
    }
  }
  return 0;
}
