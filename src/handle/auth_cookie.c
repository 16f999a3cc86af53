/*
 * auth_cookie.c - the cookies of whoever is logged in.
 *
 * Room: handle. Sees httpd.
 * Source: RFC 6265bis, "The __Host- Prefix": Secure, Path=/ and no Domain, so that no
 * neighbouring host can set it. Browsers refuse the prefix over plain http.
 */
#include "handle/auth_cookie.h"

#include <apr_strings.h>

#include "handle/shop.h"

static const char *name_of(sp_auth_cookie_t which)
{
    static const char *const names[][2] = {
        { "subpay_session", "__Host-subpay" },
        { "subpay_grace", "__Host-subpay-grace" },
    };

    return names[which][sp_shop()->secure ? 1 : 0];
}

const char *sp_auth_cookie(request_rec *r, sp_auth_cookie_t which)
{
    const char *rest = apr_table_get(r->headers_in, "Cookie");
    const char *name = name_of(which);
    apr_size_t len = strlen(name);

    while (rest && *rest) {
        rest += strspn(rest, "; ");
        if (strncmp(rest, name, len) == 0 && rest[len] == '=') {
            rest += len + 1;
            return apr_pstrmemdup(r->pool, rest, strcspn(rest, "; "));
        }
        rest += strcspn(rest, ";");
    }
    return NULL;
}

void sp_auth_cookie_set(request_rec *r, sp_auth_cookie_t which, const char *value,
                        int seconds)
{
    apr_table_addn(
        r->err_headers_out, "Set-Cookie",
        apr_psprintf(r->pool, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                     name_of(which), value, seconds,
                     sp_shop()->secure ? "; Secure" : ""));
}
