curl -X POST $BASE/v1/providers/packages/manage/$PACKAGE_ID/versions \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "capabilities": ["current_weather"],
    "changelog": "Fewer capabilities"
  }'
