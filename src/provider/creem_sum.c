/*
 * creem_sum.c - what the goods cost, among sums with and without tax.
 *
 * Room: provider.
 * Creem is the seller: it may add tax to our price or find it inside, and its objects
 * differ in which member holds which. Our books know the price alone.
 */
#include "provider/creem.h"

static int64_t or_nothing(int64_t sum)
{
    return sum > 0 ? sum : 0;
}

/* What the customer has parted with, as far as it is told. */
static int64_t total(const sp_creem_sums_t *sums)
{
    return sums->paid != SP_CREEM_NONE ? sums->paid : sums->amount;
}

/* Whether one of the sums is this price, before or after the discount. */
static int is_borne_out(const sp_creem_sums_t *sums, int64_t list, int64_t discount)
{
    const int64_t tax = or_nothing(sums->tax);
    const int64_t said[] = { sums->amount, sums->sub_total, sums->paid,
                             total(sums) - tax };
    size_t i;

    for (i = 0; i < sizeof(said) / sizeof(*said); i++) {
        if (said[i] == list || said[i] == list - discount) {
            return 1;
        }
    }
    return 0;
}

int64_t sp_creem_sum_net(const sp_creem_sums_t *sums, const int64_t lists[2])
{
    const int64_t discount = or_nothing(sums->discount);
    int i;

    for (i = 0; i < 2; i++) {
        /* Whoever paid less than the price has not paid the price. */
        if (lists[i] > 0 && total(sums) >= lists[i] - discount &&
            is_borne_out(sums, lists[i], discount)) {
            return lists[i] - discount;
        }
    }
    return sums->amount;
}

int64_t sp_creem_sum_share(const sp_creem_sums_t *sums, int64_t net, int64_t part)
{
    const int64_t all = total(sums);

    if (part <= 0 || all <= 0) {
        return 0;
    }
    return part >= all ? net : (int64_t)((__int128)net * part / all);
}
