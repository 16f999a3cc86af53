# mod_subpay: build, install, development stack, tests.
#
# make               build/gcc/mod_subpay.so and build/gcc/subpayctl
# make run | up | down | clean     the development stack (PORT=8080 RUN=run)
# make units                       the unit tests, to run one by hand
# make test | lint | bench         checks (TESTS=... picks test files)
# make chaos | faults              everything at once from a seed; each fault at each point
# make install | deb               DESTDIR and PREFIX respected; a Debian package
#
# make fuzz SECONDS=60             each parser, fed by libFuzzer
# make soak REQUESTS=100000        does anything grow
# make valgrind                    unit tests and a shop under memcheck
# make tidy                        clang-tidy and clang's analyzer
#
# Variants: CC=clang, SANITIZE=1 (AddressSanitizer and UBSan), ANALYZE=1
# (gcc -fanalyzer), FUZZ=1 (clang: sanitizers and coverage). Each has its own folder
# below build/.

SHELL  = /bin/bash
PREFIX = /usr/local
RUN   ?= run
REFERENCE ?= ../shared/reference
export REFERENCE

# make's own default is "cc"; the variant is named after the real compiler.
ifeq ($(origin CC),default)
CC = gcc
endif

VARIANT := $(notdir $(CC))$(if $(SANITIZE),-sanitize)$(if $(ANALYZE),-analyze)$(if $(FUZZ),-fuzz)
B := build/$(VARIANT)
export SUBPAY_BUILD := $(CURDIR)/$(B)
export SUBPAY_SANITIZE := $(SANITIZE)

# Asked once, when first needed: on a bare machine `make up` installs apxs and
# pkg-config before anything here is expanded.
once = $(eval $(1) := $(shell $(2)))$($(1))
APXS_CFLAGS     = $(call once,APXS_CFLAGS,apxs -q CFLAGS)
APXS_INCLUDEDIR = $(call once,APXS_INCLUDEDIR,apxs -q INCLUDEDIR)
APXS_LIBEXECDIR = $(call once,APXS_LIBEXECDIR,apxs -q LIBEXECDIR)
APR_FLAGS = $(call once,APR_FLAGS,apr-1-config --cppflags --includes && apu-1-config --includes)
APR_LIBS  = $(call once,APR_LIBS,apu-1-config --link-ld --libs && apr-1-config --link-ld)
PKG_FLAGS = $(call once,PKG_FLAGS,pkg-config --cflags libpq libcurl jansson openssl)
PKG_LIBS  = $(call once,PKG_LIBS,pkg-config --libs libpq libcurl jansson openssl)
# What reads incoming mail is for subpayctl alone: httpd never loads it.
MAIL_FLAGS = $(call once,MAIL_FLAGS,pkg-config --cflags gmime-3.0)
MAIL_LIBS  = $(call once,MAIL_LIBS,pkg-config --libs gmime-3.0)

# APR's rings subtract a null pointer, which clang warns of wherever one is used.
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror \
       -Wno-null-pointer-subtraction
ifneq ($(SANITIZE),)
CHECKED = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
          -fno-omit-frame-pointer
else ifneq ($(FUZZ),)
CHECKED = -fsanitize=fuzzer-no-link,address,undefined \
          -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifneq ($(ANALYZE),)
CHECKED = -fanalyzer
else
CHECKED = -D_FORTIFY_SOURCE=2
endif
FLAGS = $(APXS_CFLAGS) $(APR_FLAGS) $(PKG_FLAGS) -std=gnu11 -O2 -g -fPIC \
        -fvisibility=hidden $(WARN) $(CHECKED) -Isrc \
        -DSP_SHARE_DIR='"$(PREFIX)/share/subpay"'

# The rooms that know httpd. The others are compiled without its include
# path, so the compiler itself refuses an httpd header there.
HTTPD_SRC := mod_subpay.c $(wildcard src/handle/*.c src/worker/*.c src/cfg/httpd_*.c)
CTL_SRC   := src/subpayctl.c $(wildcard src/ctl/*.c)
CORE_SRC  := $(filter-out $(HTTPD_SRC) $(CTL_SRC),$(wildcard src/*/*.c))
UNIT_SRC  := $(wildcard t/unit/test_*.c)
FUZZ_SRC  := $(wildcard t/fuzz/fuzz_*.c)

HTTPD_OBJ := $(HTTPD_SRC:%.c=$(B)/%.o)
CTL_OBJ   := $(CTL_SRC:%.c=$(B)/%.o)
CORE_OBJ  := $(CORE_SRC:%.c=$(B)/%.o)
UNITS     := $(UNIT_SRC:t/unit/%.c=$(B)/unit/%)
FUZZERS   := $(FUZZ_SRC:t/fuzz/fuzz_%.c=$(B)/fuzz/%)

.DELETE_ON_ERROR:
.PHONY: all module ctl units install installed run up down clean test lint \
        rooms format bench screenshots chaos faults fuzz fuzzers soak tidy valgrind deb

# Not the unit tests: who builds to install has no cmocka.
all: module ctl
module: $(B)/mod_subpay.so
ctl: $(B)/subpayctl
units: $(UNITS)

$(HTTPD_OBJ): FLAGS += -I$(APXS_INCLUDEDIR)
# httpd finds the module record by name: the one symbol that is exported.
$(B)/mod_subpay.o: FLAGS += -fvisibility=default
$(UNIT_SRC:%.c=$(B)/%.o): FLAGS += -It/unit

$(B)/src/mail/incoming.o: FLAGS += $(MAIL_FLAGS)

# The folder of sql/ and htdocs/ is compiled in: another PREFIX, another build.
$(B)/prefix: FORCE
	@mkdir -p $(@D); echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
FORCE:

$(B)/%.o: %.c Makefile $(B)/prefix
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -MMD -MP -c -o $@ $<

# Removed first: ar would keep the object of a file that is gone.
$(B)/core.a: $(CORE_OBJ)
	@mkdir -p $(@D); rm -f $@
	ar rcs $@ $^

$(B)/mod_subpay.so: $(HTTPD_OBJ) $(B)/core.a
	$(CC) -shared $(CHECKED) -Wl,-z,relro,-z,now -o $@ $^ $(PKG_LIBS)
	@! nm -u $@ | grep ' sp_' || { echo 'missing: the above'; false; }

$(B)/subpayctl: $(CTL_OBJ) $(B)/core.a
	$(CC) $(CHECKED) -Wl,-z,relro,-z,now -o $@ $^ $(PKG_LIBS) $(MAIL_LIBS) $(APR_LIBS)

$(B)/unit/%: $(B)/t/unit/%.o $(B)/core.a
	@mkdir -p $(@D)
	$(CC) $(CHECKED) -Wl,--as-needed -o $@ $^ $(PKG_LIBS) $(MAIL_LIBS) $(APR_LIBS) -lcmocka

# The targets: what a form is read by knows httpd, the others do not.
fuzzers: $(FUZZERS)
$(B)/t/fuzz/fuzz_form.o: FLAGS += -I$(APXS_INCLUDEDIR)
$(B)/fuzz/form: $(B)/src/handle/form.o
$(B)/fuzz/%: $(B)/t/fuzz/fuzz_%.o $(B)/t/fuzz/fuzz.o $(B)/core.a
	@mkdir -p $(@D)
	$(CC) $(CHECKED) -fsanitize=fuzzer -rdynamic -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	    $(PKG_LIBS) $(APR_LIBS)

# Draws one page or mail from a sample model.
$(B)/preview: $(B)/t/preview/preview.o $(B)/core.a
	$(CC) $(CHECKED) -o $@ $^ $(PKG_LIBS) $(APR_LIBS)

.PRECIOUS: $(B)/%.o
-include $(shell find $(B) -name '*.d' 2>/dev/null)

MANDIR = $(PREFIX)/share/man/man8
TABDIR = $(PREFIX)/share/bash-completion/completions
install: module ctl
	install -d $(addprefix $(DESTDIR),$(APXS_LIBEXECDIR) $(PREFIX)/bin \
	    $(PREFIX)/share/subpay /etc/apache2/mods-available $(MANDIR) $(TABDIR))
	install -m 644 $(B)/mod_subpay.so $(DESTDIR)$(APXS_LIBEXECDIR)/
	install -m 755 $(B)/subpayctl $(DESTDIR)$(PREFIX)/bin/
	install -m 644 doc/subpayctl.8 $(DESTDIR)$(MANDIR)/
	install -m 644 doc/subpayctl.bash $(DESTDIR)$(TABDIR)/subpayctl
	install -m 644 conf/subpay.load $(DESTDIR)/etc/apache2/mods-available/
	[ -e $(DESTDIR)/etc/apache2/mods-available/subpay.conf ] || \
	    install -m 644 conf/subpay.conf $(DESTDIR)/etc/apache2/mods-available/
	cp -r --no-preserve=ownership sql htdocs $(DESTDIR)$(PREFIX)/share/subpay/

# In a copy of what git knows: the package must not depend on what else lies around.
deb: installed
	@rm -rf build/deb && mkdir -p build/deb/mod-subpay
	@git ls-files -z --cached --others --exclude-standard | \
	    while IFS= read -r -d '' f; do [ -e "$$f" ] && printf '%s\0' "$$f"; done | \
	    tar --null -T - -c | tar -x -C build/deb/mod-subpay
	cd build/deb/mod-subpay && env -u MAKEFLAGS -u MAKELEVEL -u SUBPAY_BUILD -u SANITIZE CC=gcc \
	    dpkg-buildpackage -b -us -uc -j2 >../build.log 2>&1 || { tail -n 30 ../build.log; false; }
	@rm -rf build/deb/mod-subpay; ls build/deb/*.deb

# What a bare Debian lacks. A second make then builds: only now can this
# Makefile ask apxs and pkg-config.
installed:
	@t/stack/install

up: installed
	@$(MAKE) --no-print-directory -s module ctl
	@t/stack/up --run $(RUN) $(PORT:%=--port %)

run: installed
	@$(MAKE) --no-print-directory module ctl
	@t/stack/run --run $(RUN) $(PORT:%=--port %)

down:
	@[ ! -e $(RUN) ] || t/stack/down --run $(RUN)

clean:
	@[ ! -e $(RUN) ] || t/stack/down --run $(RUN) --forget
	@rm -rf build

test: installed
	@$(MAKE) --no-print-directory -s all units
	@t/stack/test $(TESTS)

rooms:
	@t/rooms

FORMATTED = mod_subpay.c $(shell find src t/unit t/fuzz -name '*.[ch]' 2>/dev/null)
lint: rooms
	@t/stack/install --lint
	clang-format --dry-run -Werror $(FORMATTED)
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j 2 \
	    --enable=warning,performance,portability --suppress=missingInclude \
	    -Isrc mod_subpay.c src
	@$(MAKE) --no-print-directory -s ANALYZE=1 CC=gcc module ctl
	@$(MAKE) --no-print-directory -s CC=clang module ctl

valgrind: installed
	@t/stack/install --valgrind
	@$(MAKE) --no-print-directory -s all units
	@t/valgrind/run

# Slower than lint, so apart: clang-tidy, and clang's analyzer over every file.
TIDY_FLAGS = $(filter-out -f% -W% -g -O2 -D_FORTIFY_SOURCE=2 -DSP_SHARE_DIR%,$(FLAGS) $(MAIL_FLAGS)) \
    -DSP_SHARE_DIR=__FILE__ -I$(APXS_INCLUDEDIR) -w
tidy:
	@t/stack/install --tidy
	@printf '%s\n' $(HTTPD_SRC) $(CORE_SRC) $(CTL_SRC) | \
	    xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS)' sh
	@printf '%s\n' $(HTTPD_SRC) $(CORE_SRC) $(CTL_SRC) | \
	    xargs -P 2 -n 1 clang --analyze --analyzer-output text -Xclang -analyzer-werror $(TIDY_FLAGS)

format:
	clang-format -i $(FORMATTED)

bench: installed
	@$(MAKE) --no-print-directory -s module ctl
	@t/bench/all

chaos: SECONDS ?= 600
SEED    ?= 1
SEEDS   ?= 1
chaos: installed
	@$(MAKE) --no-print-directory -s module ctl
	@t/chaos/chaos --seconds $(SECONDS) --seed $(SEED) --seeds $(SEEDS)

faults: installed
	@$(MAKE) --no-print-directory -s all units
	@t/faults/all --run $(RUN)

REQUESTS ?= 100000
soak: installed
	@$(MAKE) --no-print-directory -s module ctl
	@t/soak/soak --requests $(REQUESTS)

fuzz: SECONDS ?= 60
fuzz: installed
	@t/stack/install --fuzz
	@$(MAKE) --no-print-directory -s CC=clang FUZZ=1 fuzzers
	@t/fuzz/run --seconds $(SECONDS) --run $(RUN) $(TARGETS)

screenshots: installed
	@$(MAKE) --no-print-directory -s module ctl $(B)/preview
	@t/screenshots $(RUN)/screenshots
