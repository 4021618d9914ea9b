-- oldest binary: 0.1.0
-- The id that a copy has in the other system, by which a copy whose mark was removed there is recognised.
ALTER TABLE "foreign_mirror" ADD COLUMN natural_key TEXT; -- derived
-- In a body the id follows the 63 characters of the first names and the values that stand in columns; it holds these signs alone.
UPDATE "foreign_mirror" SET natural_key = substr(
    body,
    64 + length(id) + length(CAST(version AS TEXT)) + length(system) + length(change_key),
    length(body) - 63 - length(id) - length(CAST(version AS TEXT)) - length(system) - length(change_key) - length(ltrim(
        substr(body, 64 + length(id) + length(CAST(version AS TEXT)) + length(system) + length(change_key)),
        'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.'
    ))
)
WHERE substr(
    body, 49 + length(id) + length(CAST(version AS TEXT)) + length(system) + length(change_key), 15
) = '"natural_key":"';
CREATE INDEX foreign_mirror_by_natural_key ON "foreign_mirror" (tenant, natural_key, id) WHERE natural_key IS NOT NULL;
CREATE INDEX foreign_mirror_of_change ON "foreign_mirror" (tenant, change_key, id);
