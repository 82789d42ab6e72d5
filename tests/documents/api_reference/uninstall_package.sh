curl -X DELETE $BASE/v1/space/marketplace/$PACKAGE_ID/install \
  -H "Authorization: Bearer $TOKEN"
