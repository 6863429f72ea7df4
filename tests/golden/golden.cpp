// Golden bytes: what this version packs is what the committed files hold, byte by byte.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "common/error.h"
#include "golden/cases.h"
#include "support/catch.h"
#include "unit/pack/buffer.h"

namespace marlin::test {
namespace {

const std::string kFolder = MARLIN_TESTS_DIR "/golden/";

std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string pack(const GoldenCase &golden) {
    GoldenInput input;
    make_input(golden, input);
    PackedBuffer packed(packed_size(plan_pack(input.request)));
    ThreadedFor threads(2);
    const WeightsView view = pack_host(input.request, packed.bytes(), threads);
    return {reinterpret_cast<const char *>(packed.bytes().data()),
            static_cast<size_t>(kHeaderSize + view.geometry.body_size)};
}

uint64_t body_checksum(const std::string &bytes) {
    PackedHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    return header.body_checksum;
}

std::string manifest() {
    std::string text = "{\n  \"about\": \"packed weights of libmarlin; formulas in k (row), n (column), g (group), "
                       "integers with // and % as in Python\",\n  \"cases\": [\n";
    const std::vector<GoldenCase> cases = golden_cases();
    for (size_t i = 0; i < cases.size(); ++i) {
        const std::string bytes = pack(cases[i]);
        text += manifest_entry(cases[i], static_cast<int64_t>(bytes.size()), body_checksum(bytes));
        text += i + 1 < cases.size() ? ",\n" : "\n";
    }
    return text + "  ]\n}\n";
}

// With MARLIN_GOLDEN_WRITE in the environment the files are made anew before they are compared: only for a new layout
// number, or when cases are added.
void write_if_asked() {
    if (std::getenv("MARLIN_GOLDEN_WRITE") == nullptr)
        return;
    for (const GoldenCase &golden : golden_cases()) {
        const std::string bytes = pack(golden);
        std::ofstream file(kFolder + golden.name + ".bin", std::ios::binary);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        REQUIRE(file.good());
    }
    std::ofstream file(kFolder + "manifest.json", std::ios::binary);
    file << manifest();
    REQUIRE(file.good());
}

} // namespace

TEST_CASE("packing gives the golden bytes, and the golden bytes attach", "[golden]") {
    write_if_asked();
    for (const GoldenCase &golden : golden_cases()) {
        CAPTURE(golden.name);
        const std::string expected = read_file(kFolder + golden.name + ".bin");
        const std::string found = pack(golden);
        REQUIRE(found.size() == expected.size());
        size_t at = 0;
        while (at < found.size() && found[at] == expected[at])
            ++at;
        CAPTURE(at); // the first byte that differs
        CHECK(at == found.size());

        PackedBuffer file(static_cast<int64_t>(expected.size()));
        std::memcpy(file.bytes().data(), expected.data(), expected.size());
        const WeightsView view = attach_host(file.bytes());
        CHECK(view.k == golden.k);
        CHECK(view.n == golden.n);
        CHECK(view.shape().layout == golden.layout);
        CHECK((view.perm != nullptr) == golden.act_order);
    }
}

TEST_CASE("the manifest describes the golden bytes", "[golden]") {
    CHECK(read_file(kFolder + "manifest.json") == manifest());
}

} // namespace marlin::test
